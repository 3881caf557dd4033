//! Runs an allowed argument list, with a limit on its time and on what it prints.

use super::policy;
use crate::{host::Failure, redact};
use gf_node_proto::{ExecOutput, FailureCode};
use std::{process::Stdio, time::Duration};
use tokio::{io::AsyncReadExt, process::Command};

const PATIENCE: Duration = Duration::from_secs(30);
const MOST_OUTPUT: u64 = 64 * 1024;

pub async fn run(argv: &[String]) -> Result<ExecOutput, Failure> {
    let path = policy::check(argv).map_err(|why| Failure::new(FailureCode::Refused, why))?;
    let mut child = Command::new(path)
        .args(&argv[1..])
        .env_clear()
        .env("PATH", "/usr/bin:/bin:/usr/sbin:/sbin")
        .env("LC_ALL", "C")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .map_err(|why| Failure::new(FailureCode::Io, format!("{path}: {why}")))?;
    let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
    let work = async { tokio::join!(read(stdout), read(stderr)) };
    let late = |_| Failure::new(FailureCode::TimedOut, format!("{path} did not end within {PATIENCE:?}"));
    let (out, err) = tokio::time::timeout(PATIENCE, work).await.map_err(late)?;
    // Whoever still writes after the limit would wait for ever.
    let truncated = out.len() as u64 > MOST_OUTPUT || err.len() as u64 > MOST_OUTPUT;
    if truncated {
        let _ = child.kill().await;
    }
    let status = tokio::time::timeout(PATIENCE, child.wait()).await.map_err(late)??;
    Ok(ExecOutput {
        exit_code: status.code().unwrap_or(-1),
        stdout: shown(&out),
        stderr: shown(&err),
        truncated,
    })
}

async fn read(stream: Option<impl tokio::io::AsyncRead + Unpin>) -> Vec<u8> {
    let mut bytes = Vec::new();
    if let Some(stream) = stream {
        // What was read before an error is still worth showing.
        let _ = stream.take(MOST_OUTPUT + 1).read_to_end(&mut bytes).await;
    }
    bytes
}

fn shown(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(&bytes[..bytes.len().min(MOST_OUTPUT as usize)]);
    text.lines().map(|line| redact::line(line, &[])).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn argv(line: &str) -> Vec<String> {
        line.split(' ').map(str::to_owned).collect()
    }

    #[tokio::test]
    async fn an_allowed_program_answers() {
        let output = run(&argv("uname -a")).await.unwrap();
        assert_eq!(output.exit_code, 0);
        assert!(output.stdout.contains("Linux"), "{output:?}");
    }

    #[tokio::test]
    async fn a_refused_one_is_not_run() {
        let why = run(&argv("docker run -v /:/h alpine")).await.unwrap_err();
        assert_eq!(why.code(), FailureCode::Refused);
    }
}
