//! A real Chromium, driven over its DevTools protocol. Where there is none, tests fail: a page nobody looked at is
//! not a page that works.

use base64::Engine;
use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use std::{
    io::{BufRead, BufReader},
    process::{Child, Command, Stdio},
};
use tempfile::TempDir;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async, tungstenite::Message};

const PROGRAM: &str = "/usr/bin/chromium";

pub struct Browser {
    process: Child,
    socket: WebSocketStream<MaybeTlsStream<tokio::net::TcpStream>>,
    session: String,
    next: u64,
    _profile: TempDir,
}

impl Drop for Browser {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Browser {
    pub async fn start() -> Self {
        let profile = tempfile::tempdir().unwrap();
        let mut process = Command::new(PROGRAM)
            .args(["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"])
            .args(["--disable-background-networking", "--disable-component-update", "--disable-sync"])
            .args(["--disable-dev-shm-usage", "--remote-debugging-port=0"])
            .arg(format!("--user-data-dir={}", profile.path().display()))
            .arg("about:blank")
            .env("HOME", profile.path())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap_or_else(|why| panic!("{PROGRAM} is needed to test the page: {why}"));
        let lines = BufReader::new(process.stderr.take().unwrap()).lines();
        let address = tokio::task::spawn_blocking(move || {
            let mut lines = lines;
            let found = lines
                .by_ref()
                .find_map(|line| line.ok()?.strip_prefix("DevTools listening on ").map(str::to_owned));
            // Nobody reads on, and a full pipe would hold the browser up.
            std::thread::spawn(move || lines.for_each(drop));
            found.expect("Chromium ended before it could be driven")
        })
        .await
        .unwrap();
        let (socket, _) = connect_async(&address).await.unwrap();
        let mut browser = Self { process, socket, session: String::new(), next: 0, _profile: profile };
        let target = browser.call("Target.createTarget", json!({"url": "about:blank"})).await;
        let attached = browser
            .call("Target.attachToTarget", json!({"targetId": target["targetId"], "flatten": true}))
            .await;
        browser.session = attached["sessionId"].as_str().unwrap().to_owned();
        browser.call("Page.enable", json!({})).await;
        browser
    }

    pub async fn call(&mut self, method: &str, params: Value) -> Value {
        self.next += 1;
        let id = self.next;
        let mut request = json!({"id": id, "method": method, "params": params});
        if !self.session.is_empty() {
            request["sessionId"] = json!(self.session);
        }
        self.socket.send(Message::text(request.to_string())).await.unwrap();
        loop {
            let answer = self.read().await;
            if answer["id"] == id {
                assert!(answer["error"].is_null(), "{method}: {}", answer["error"]);
                return answer["result"].clone();
            }
        }
    }

    async fn read(&mut self) -> Value {
        loop {
            if let Message::Text(text) = self.socket.next().await.unwrap().unwrap() {
                return serde_json::from_str(&text).unwrap();
            }
        }
    }

    pub async fn size(&mut self, width: u32, height: u32, dark: bool) {
        let metrics =
            json!({"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600});
        self.call("Emulation.setDeviceMetricsOverride", metrics).await;
        let scheme = if dark { "dark" } else { "light" };
        let media = json!({"features": [{"name": "prefers-color-scheme", "value": scheme}]});
        self.call("Emulation.setEmulatedMedia", media).await;
    }

    pub async fn zone(&mut self, zone: &str) {
        self.call("Emulation.setTimezoneOverride", json!({"timezoneId": zone})).await;
    }

    /// Opens a page and waits until it was loaded.
    pub async fn open(&mut self, url: &str) {
        self.call("Page.navigate", json!({"url": url})).await;
        self.wait_for("document.readyState === 'complete' && location.href !== 'about:blank'").await;
    }

    /// The value of an expression in the page.
    pub async fn value(&mut self, expression: &str) -> Value {
        let params = json!({"expression": expression, "returnByValue": true, "awaitPromise": true});
        let answer = self.call("Runtime.evaluate", params).await;
        assert!(answer["exceptionDetails"].is_null(), "{expression}: {}", answer["exceptionDetails"]);
        answer["result"]["value"].clone()
    }

    /// Waits, in the page itself, until an expression holds; asks anew where a navigation cut the question off.
    pub async fn wait_for(&mut self, expression: &str) {
        let holds = format!(
            "new Promise((held) => {{ const look = () => ({expression}) ? held(true) : setTimeout(look, 30); look(); }})"
        );
        let patience = std::time::Duration::from_secs(30);
        let waited = tokio::time::timeout(patience, async {
            loop {
                self.next += 1;
                let (id, session) = (self.next, self.session.clone());
                let params = json!({"expression": holds, "returnByValue": true, "awaitPromise": true});
                let request =
                    json!({"id": id, "method": "Runtime.evaluate", "params": params, "sessionId": session});
                self.socket.send(Message::text(request.to_string())).await.unwrap();
                let answer = loop {
                    let answer = self.read().await;
                    if answer["id"] == id {
                        break answer;
                    }
                };
                if answer["result"]["result"]["value"] == true {
                    return;
                }
            }
        });
        waited.await.unwrap_or_else(|_| panic!("it never held in the page: {expression}"));
    }

    /// A picture of the window, where the environment says that somebody wants to look at it.
    pub async fn picture(&mut self, name: &str) {
        let Some(directory) = std::env::var_os("CLAWOPS_PAGE_PICTURES") else { return };
        let shot = self.call("Page.captureScreenshot", json!({"format": "png"})).await;
        let png = base64::engine::general_purpose::STANDARD.decode(shot["data"].as_str().unwrap()).unwrap();
        std::fs::create_dir_all(&directory).unwrap();
        std::fs::write(std::path::Path::new(&directory).join(format!("{name}.png")), png).unwrap();
    }
}
