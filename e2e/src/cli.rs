//! `clawops`, called as a person or a script calls it.

use crate::Universe;
use serde_json::Value;
use std::process::{Command, Output, Stdio};

impl Universe {
    pub fn command(&self) -> Command {
        let mut command = Command::new(crate::processes::built("clawops"));
        command
            .env("CLAWOPS_HOME", self.home())
            .env("CLAWOPS_PORT_BASE", self.port_base().to_string())
            .env("CLAWOPS_SHARE", self.share())
            .env("CLAWOPS_RUNTIME", self.runtime())
            .env("NO_COLOR", "1")
            .stdin(Stdio::null());
        command
    }

    pub fn run(&self, args: &[&str]) -> Output {
        self.command().args(args).output().unwrap_or_else(|e| panic!("clawops cannot be run: {e}"))
    }

    /// Must succeed; its JSON.
    pub fn json(&self, args: &[&str]) -> Value {
        let output = self.run(&[args, &["--json"]].concat());
        let said = String::from_utf8_lossy(&output.stdout);
        let problem = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "clawops {args:?} failed: {problem}{said}");
        serde_json::from_str(&said)
            .unwrap_or_else(|e| panic!("clawops {args:?} printed no JSON ({e}): {said}"))
    }

    /// Must be refused; what was said, and the exit code.
    pub fn refused(&self, args: &[&str]) -> (String, i32) {
        let output = self.run(args);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!output.status.success(), "clawops {args:?} was not refused: {said}");
        (said, output.status.code().unwrap_or(-1))
    }
}
