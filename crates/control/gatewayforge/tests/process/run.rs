//! One process with a home of its own, and a client that says what it heard.

use serde_json::Value;
use std::{
    fs,
    io::{self, BufRead, BufReader, Read, Write},
    net::TcpStream,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};
use tempfile::TempDir;

/// A machine that is busy with other things may take this long for anything.
const PATIENCE: Duration = Duration::from_secs(240);

pub struct Running {
    process: Child,
    pub ready: Value,
    pub home: PathBuf,
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

pub fn home() -> (TempDir, PathBuf) {
    let directory = tempfile::tempdir().unwrap();
    let home = directory.path().join("home");
    (directory, home)
}

pub fn command(home: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_gatewayforge"));
    command.arg("--home").arg(home).args(["--listen", "127.0.0.1:0"]);
    for name in [
        "CLAWOPS_HOME",
        "CLAWOPS_COMPANION_URL",
        "CLAWOPS_MONTHLY_BUDGET",
        "CLAWOPS_STORE",
        "CLAWOPS_HEARTBEAT_URL",
        "CLAWOPS_OTLP_ENDPOINT",
        "CLAWOPS_OUTSIDE_AUTHORITIES",
    ] {
        command.env_remove(name);
    }
    command
}

pub fn start(home: &Path) -> Running {
    start_with(home, &[])
}

pub fn start_with(home: &Path, arguments: &[&str]) -> Running {
    let mut command = command(home);
    command.args(arguments);
    running(command, home)
}

pub fn running(mut command: Command, home: &Path) -> Running {
    command.stderr(Stdio::null());
    heard(command, home)
}

/// The same where somebody wants its log.
pub fn heard(mut command: Command, home: &Path) -> Running {
    let mut process = command.stdout(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(process.stdout.take().unwrap()).read_line(&mut line).unwrap();
    Running { ready: serde_json::from_str(&line).expect(&line), process, home: home.to_owned() }
}

impl Running {
    pub fn pid(&self) -> u32 {
        self.process.id()
    }

    fn address(&self) -> &str {
        self.ready["endpoint"].as_str().unwrap().strip_prefix("http://").unwrap()
    }

    pub fn send(&self, method: &str, path: &str, key: &str, headers: &str, body: &str) -> String {
        self.try_send(method, path, key, headers, body).unwrap()
    }

    /// The same where it may have been killed by now.
    pub fn try_send(
        &self,
        method: &str,
        path: &str,
        key: &str,
        headers: &str,
        body: &str,
    ) -> io::Result<String> {
        let address = self.address();
        let mut socket = TcpStream::connect(address)?;
        let request = format!(
            "{method} {path} HTTP/1.1\r\nhost: {address}\r\nauthorization: Bearer {key}\r\n{headers}content-length: {}\r\nconnection: close\r\n\r\n{body}",
            body.len()
        );
        socket.write_all(request.as_bytes())?;
        let mut answer = String::new();
        socket.read_to_string(&mut answer)?;
        Ok(answer)
    }

    pub fn get(&self, path: &str, key: &str) -> String {
        self.send("GET", path, key, "", "")
    }

    /// The key of the first admin.
    pub fn key(&self) -> String {
        fs::read_to_string(self.home.join("keys/operator.key")).unwrap().trim().to_owned()
    }

    /// A request by somebody: status and body.
    pub fn ask_as(&self, key: &str, method: &str, path: &str, body: Value) -> (u16, Value) {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let answer = self.send(method, path, key, "", &body);
        let status = answer.split(' ').nth(1).and_then(|code| code.parse().ok()).expect(&answer);
        let body = answer.split_once("\r\n\r\n").map_or("", |(_, body)| body);
        // A long answer comes in chunks; what is between their lengths is the text.
        let text: String = match serde_json::from_str::<Value>(body) {
            Ok(value) => return (status, value),
            Err(_) => body.split("\r\n").skip(1).step_by(2).collect(),
        };
        (status, serde_json::from_str(&text).unwrap_or_else(|_| panic!("no JSON: {answer}")))
    }

    /// The same by the first admin.
    pub fn ask(&self, method: &str, path: &str, body: Value) -> (u16, Value) {
        self.ask_as(&self.key(), method, path, body)
    }

    /// A tool whose answer is good.
    pub fn tool(&self, name: &str, arguments: Value) -> Value {
        let (status, reply) = self.ask("POST", &format!("/v1/tools/{name}"), arguments.clone());
        assert_eq!(status, 200, "{name} {arguments}: {reply}");
        reply
    }

    /// The same, confirmed in the same act.
    pub fn confirmed(&self, name: &str, arguments: Value) -> Value {
        let (status, reply) = self.ask("POST", &format!("/v1/tools/{name}?confirm=true"), arguments);
        assert_eq!(status, 200, "{reply}");
        reply
    }

    /// Asks again and again until the answer is as wanted.
    pub fn until(&self, what: &str, look: impl Fn() -> Option<Value>) -> Value {
        let began = Instant::now();
        loop {
            if let Some(found) = look() {
                return found;
            }
            assert!(began.elapsed() < PATIENCE, "it never happened that {what}");
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// Waits for the end of an operation.
    pub fn ended(&self, operation: &Value) -> Value {
        let id = operation.as_str().expect("no operation was started").to_owned();
        self.until(&format!("{id} ended"), || {
            let reply = self.tool("gf_operation", serde_json::json!({"id": id, "action": "get"}));
            reply["endedAt"].is_string().then_some(reply)
        })
    }

    /// Whether it has ended.
    pub fn is_over(&mut self) -> bool {
        self.process.try_wait().unwrap().is_some()
    }

    pub fn signal(&self, name: &str) {
        let pid = self.process.id().to_string();
        assert!(Command::new("kill").args(["-s", name, &pid]).status().unwrap().success());
    }

    /// Waits for it to end by itself.
    pub fn ended_by_itself(mut self) -> i32 {
        self.process.wait().unwrap().code().unwrap_or(-1)
    }

    /// As a power cut ends it.
    pub fn kill(mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }

    pub fn end(mut self) -> i32 {
        Command::new("kill").arg(self.process.id().to_string()).status().unwrap();
        self.process.wait().unwrap().code().unwrap_or(-1)
    }
}
