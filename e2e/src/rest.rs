//! What an operator could also read with any HTTP client.

use crate::Universe;
use serde_json::Value;
use std::io::{Read, Write};
use std::net::TcpStream;

impl Universe {
    /// Must answer 200.
    pub fn get(&self, path: &str) -> Value {
        let key = self.key("operator.key");
        let (status, body) = exchange(&self.control_plane(), &format!("GET {path}"), &key, "");
        assert_eq!(status, 200, "GET {path}: {body}");
        serde_json::from_str(&body).unwrap_or_else(|e| panic!("GET {path} answered no JSON ({e}): {body}"))
    }
}

/// One request on a connection of its own: the status and the body.
pub fn exchange(addr: &str, method_and_path: &str, bearer: &str, body: &str) -> (u16, String) {
    let request = format!(
        "{method_and_path} HTTP/1.0\r\nhost: {addr}\r\nauthorization: Bearer {bearer}\r\n\
         content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    let mut answer = String::new();
    let talked = TcpStream::connect(addr).and_then(|mut stream| {
        stream.write_all(request.as_bytes())?;
        stream.read_to_string(&mut answer)
    });
    talked.unwrap_or_else(|e| panic!("{method_and_path} at {addr}: {e}"));
    let status = answer.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0);
    (status, answer.split_once("\r\n\r\n").map(|(_, body)| body.to_owned()).unwrap_or_default())
}
