//! A real IRC network on this machine (Debian's ngircd), and a person on it.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

const UP_WITHIN: Duration = Duration::from_secs(20);

pub struct Network {
    pub port: u16,
    server: Child,
}

impl Network {
    pub fn start(dir: &Path) -> Self {
        let free = TcpListener::bind(("127.0.0.1", 0)).and_then(|listener| listener.local_addr());
        let port = free.unwrap_or_else(|e| panic!("no free port: {e}")).port();
        let config = dir.join("ngircd.conf");
        let text = format!(
            "[Global]\nName = irc.test\nInfo = test\nListen = 127.0.0.1\nPorts = {port}\n\
             [Limits]\nConnectRetry = 60\nMaxJoins = 10\nPingTimeout = 120\n[Options]\nDNS = no\nIdent = no\nPAM = no\n"
        );
        std::fs::write(&config, text).unwrap_or_else(|e| panic!("{}: {e}", config.display()));
        let program = if Path::new("/usr/sbin/ngircd").exists() { "/usr/sbin/ngircd" } else { "ngircd" };
        let server = Command::new(program)
            .args(["--nodaemon", "--config"])
            .arg(&config)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap_or_else(|e| panic!("ngircd (Debian package ngircd): {e}"));
        let network = Self { port, server };
        crate::wait::until("ngircd listens", UP_WITHIN, || TcpStream::connect(("127.0.0.1", port)).ok());
        network
    }
}

impl Drop for Network {
    fn drop(&mut self) {
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}

pub struct Person {
    read: BufReader<TcpStream>,
    write: TcpStream,
}

impl Person {
    pub fn connect(network: &Network, nick: &str) -> Self {
        let write = TcpStream::connect(("127.0.0.1", network.port)).unwrap_or_else(|e| panic!("IRC: {e}"));
        let read = BufReader::new(write.try_clone().unwrap_or_else(|e| panic!("IRC: {e}")));
        let mut person = Self { read, write };
        person.send(&format!("NICK {nick}\r\nUSER {nick} 0 * :{nick}"));
        person.wait("a welcome", UP_WITHIN, |line| line.contains(" 001 "));
        person
    }

    pub fn send(&mut self, line: &str) {
        let sent = self.write.write_all(format!("{line}\r\n").as_bytes());
        sent.unwrap_or_else(|e| panic!("IRC: {e}"));
    }

    pub fn say_to(&mut self, nick: &str, text: &str) {
        self.send(&format!("PRIVMSG {nick} :{text}"));
    }

    /// The next line that fits; the server is kept happy meanwhile.
    pub fn wait(&mut self, what: &str, within: Duration, fits: impl Fn(&str) -> bool) -> String {
        let began = Instant::now();
        let mut heard = Vec::new();
        while let Some(left) = within.checked_sub(began.elapsed()).filter(|left| !left.is_zero()) {
            let _ = self.write.set_read_timeout(Some(left));
            let mut line = String::new();
            if self.read.read_line(&mut line).is_err() {
                break;
            }
            if let Some(token) = line.strip_prefix("PING ") {
                self.send(&format!("PONG {}", token.trim()));
            }
            if fits(&line) {
                return line;
            }
            heard.push(line);
        }
        panic!("{what} did not come on IRC; only this was heard: {heard:#?}")
    }
}
