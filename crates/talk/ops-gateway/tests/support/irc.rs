//! Debian's ngircd on this machine, and a person with an IRC client.

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::time::{sleep, timeout};

pub struct Ngircd {
    pub port: u16,
    child: Child,
}

impl Ngircd {
    pub async fn start(dir: &Path) -> Self {
        let port = super::free_port();
        let config = dir.join("ngircd.conf");
        let text = format!(
            "[Global]\nName = irc.test\nInfo = test\nListen = 127.0.0.1\nPorts = {port}\n\
             [Limits]\nConnectRetry = 60\nMaxJoins = 10\nPingTimeout = 120\n[Options]\nDNS = no\nIdent = no\nPAM = no\n"
        );
        std::fs::write(&config, text).unwrap();
        let child = Command::new("ngircd")
            .args(["--nodaemon", "--config"])
            .arg(&config)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("ngircd is installed (Debian package ngircd)");
        let server = Self { port, child };
        let up = async {
            while TcpStream::connect(("127.0.0.1", port)).await.is_err() {
                sleep(Duration::from_millis(20)).await;
            }
        };
        timeout(Duration::from_secs(20), up).await.expect("ngircd listens");
        server
    }
}

impl Drop for Ngircd {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub struct Person {
    lines: Lines<BufReader<OwnedReadHalf>>,
    out: OwnedWriteHalf,
}

impl Person {
    pub async fn connect(port: u16, nick: &str) -> Self {
        let (read, out) = TcpStream::connect(("127.0.0.1", port)).await.unwrap().into_split();
        let mut person = Self { lines: BufReader::new(read).lines(), out };
        person.send(&format!("NICK {nick}\r\nUSER {nick} 0 * :{nick}")).await;
        person.wait(|line| line.contains(" 001 ")).await;
        person
    }

    pub async fn send(&mut self, line: &str) {
        self.out.write_all(format!("{line}\r\n").as_bytes()).await.unwrap();
    }

    /// The next line that fits; the server is kept happy meanwhile.
    pub async fn wait(&mut self, fits: impl Fn(&str) -> bool) -> String {
        let mut heard = Vec::new();
        let found = async {
            loop {
                let line = self.lines.next_line().await.unwrap().expect("the server is there");
                if let Some(token) = line.strip_prefix("PING ") {
                    self.out.write_all(format!("PONG {token}\r\n").as_bytes()).await.unwrap();
                }
                if fits(&line) {
                    return line;
                }
                heard.push(line);
            }
        };
        let found = timeout(super::LONG, found).await;
        found.unwrap_or_else(|_| panic!("only this was heard: {heard:#?}"))
    }
}
