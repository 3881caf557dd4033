//! Containers of this machine, by the Docker command line.

use super::{Programs, policy::DOCKER_ROW, programs::LONG};
use crate::{
    host::{Failure, Outcome},
    redact,
};
use gf_node_proto::{Container, Containers, FailureCode, LogLines, PulledImage};
use serde::Deserialize;
use std::time::Duration;

const MOST_LINES: u32 = 1000;
/// A container may take its ten seconds of grace.
const RESTART: Duration = Duration::from_secs(60);

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Row {
    #[serde(rename = "ID")]
    id: String,
    names: String,
    image: String,
    state: String,
    status: String,
    #[serde(default)]
    ports: String,
}

impl Programs {
    pub async fn docker_ps(&self) -> Outcome<Containers> {
        let printed = self.ask(&["docker", "ps", "--all", "--no-trunc", "--format", DOCKER_ROW]).await?;
        Ok(Containers { containers: rows(&printed)? })
    }

    pub async fn docker_restart(&self, container: &str) -> Outcome<()> {
        self.own_output(&["docker", "restart", container], RESTART).await.map(drop)
    }

    pub async fn docker_pull(&self, image: &str) -> Outcome<PulledImage> {
        let printed = self.own_output(&["docker", "pull", image], LONG).await?;
        Ok(pulled(image, &printed))
    }

    /// Both streams of a container, its errors last: the command line does not say how they were interleaved.
    pub async fn docker_logs(&self, container: &str, max_lines: u32) -> Outcome<LogLines> {
        let wanted = if max_lines == 0 { 100 } else { max_lines.min(MOST_LINES) };
        let argv = ["docker", "logs", "--tail", &wanted.to_string(), container];
        let printed = self.own(&argv, RESTART).await?;
        if printed.code != 0 {
            return Err(printed.failure(&argv));
        }
        let lines: Vec<_> = printed
            .stdout
            .lines()
            .chain(printed.stderr.lines())
            .map(|line| redact::line(line, &[]))
            .collect();
        Ok(LogLines { truncated: printed.truncated || lines.len() >= wanted as usize, lines })
    }
}

fn rows(printed: &str) -> Outcome<Vec<Container>> {
    let parsed = printed.lines().filter(|line| !line.trim().is_empty()).map(|line| {
        let row: Row = serde_json::from_str(line).map_err(|why| {
            Failure::new(FailureCode::Program, format!("docker ps printed what cannot be read: {why}"))
        })?;
        let Row { id, names, image, state, status, ports } = row;
        Ok(Container { id, name: names, image, state, status, ports })
    });
    parsed.collect()
}

fn pulled(image: &str, printed: &str) -> PulledImage {
    let after = |word: &str| printed.lines().find_map(|line| line.strip_prefix(word));
    PulledImage {
        image: image.to_owned(),
        digest: after("Digest: ").unwrap_or_default().to_owned(),
        up_to_date: after("Status: ").is_some_and(|status| status.contains("up to date")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exec::programs::stage;

    #[tokio::test]
    async fn containers_are_listed() {
        let (dir, programs) = stage::empty();
        stage::recorded(&dir, "docker", "ps --all --no-trunc --format {{json .}}", "docker-ps.jsonl");
        let all = programs.docker_ps().await.unwrap().containers;
        let told: Vec<_> = all.iter().map(|one| (one.name.as_str(), one.state.as_str())).collect();
        assert_eq!(told, [("openclaw-7f3a", "running"), ("backup", "exited")]);
        assert_eq!(all[0].ports, "127.0.0.1:18789->18789/tcp");
        assert_eq!(all[0].status, "Up 3 days (healthy)");
    }

    #[test]
    fn what_is_not_a_row_is_an_error_and_no_rows_are_none() {
        assert!(rows("").unwrap().is_empty());
        assert_eq!(rows("CONTAINER ID   IMAGE").unwrap_err().code(), FailureCode::Program);
    }

    #[test]
    fn a_pull_says_what_came() {
        let fresh = "latest: Pulling from library/alpine\nDigest: sha256:0a4eaa\nStatus: Downloaded newer image for alpine:latest\n";
        assert_eq!(
            pulled("alpine", fresh),
            PulledImage { image: "alpine".into(), digest: "sha256:0a4eaa".into(), up_to_date: false }
        );
        assert!(pulled("alpine", "Status: Image is up to date for alpine:latest\n").up_to_date);
    }

    #[tokio::test]
    async fn names_that_are_options_never_reach_the_program() {
        let (dir, programs) = stage::empty();
        stage::install(&dir, "docker", "echo started >> \"$0.calls\"");
        for bad in ["--all", "a b", "a;b", "", "$(id)"] {
            assert_eq!(programs.docker_restart(bad).await.unwrap_err().code(), FailureCode::Refused, "{bad}");
            assert_eq!(programs.docker_pull(bad).await.unwrap_err().code(), FailureCode::Refused, "{bad}");
            assert_eq!(programs.docker_logs(bad, 5).await.unwrap_err().code(), FailureCode::Refused, "{bad}");
        }
        assert!(!dir.path().join("bin/docker.calls").exists(), "the program was started");
        programs.docker_restart("openclaw-7f3a").await.unwrap();
        assert!(dir.path().join("bin/docker.calls").exists());
    }

    #[tokio::test]
    async fn a_daemon_that_is_away_is_quoted() {
        let (dir, programs) = stage::empty();
        stage::install(
            &dir,
            "docker",
            "echo 'Cannot connect to the Docker daemon at unix:///var/run/docker.sock.' >&2; exit 1",
        );
        let why = programs.docker_ps().await.unwrap_err();
        assert_eq!(why.code(), FailureCode::Program);
        assert!(why.0.message.contains("Cannot connect to the Docker daemon"), "{why}");
    }

    #[tokio::test]
    async fn logs_come_from_both_streams_and_without_secrets() {
        let (dir, programs) = stage::empty();
        stage::install(&dir, "docker", "echo out; echo 'token=abcdefgh12345' >&2");
        let logs = programs.docker_logs("openclaw-7f3a", 0).await.unwrap();
        assert_eq!(logs.lines, ["out", "token=[redacted]"]);
        assert!(!logs.truncated);
    }
}
