//! A gf-clawnode beside the control plane, with a program that stands in for OpenClaw.

use crate::run::Running;
use serde_json::json;
use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::Duration,
};

/// A node that may come in; it runs while its process lives.
pub struct Node {
    pub name: String,
    provider: &'static str,
    directory: PathBuf,
    /// Whose releases of gf-clawnode it believes.
    release_key: Option<String>,
    child: Option<Child>,
}

/// Builds what is not built for a test by itself, as another crate's: the node's program and the stand-in. Gives the
/// directory with the programs.
fn programs() -> PathBuf {
    let built = Command::new(env!("CARGO"))
        .args(["build", "--quiet", "--locked", "--workspace"])
        .args(["--bin", "gf-clawnode", "--example", "openclaw-stand-in", "--example", "sign_release"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .status()
        .unwrap();
    assert!(built.success(), "gf-clawnode does not build");
    Path::new(env!("CARGO_BIN_EXE_gatewayforge")).parent().unwrap().to_owned()
}

/// Signs a program as a release of gf-clawnode and lays it where the control plane of this home reads it. Gives the key
/// that nodes are to believe.
pub fn released(home: &Path, version: &str, program: &str) -> String {
    let file = home.join(format!("gf-clawnode-{version}"));
    fs::write(&file, program).unwrap();
    let signed = Command::new(programs().join("examples/sign_release"))
        .arg(home.join("release.seed"))
        .arg(version)
        .args([&file, &home.join("releases")])
        .output()
        .unwrap();
    let said = String::from_utf8(signed.stdout).unwrap();
    said.split("--release-key ").nth(1).expect("no key was told").trim().to_owned()
}

/// What a release holds that is this build's own gf-clawnode.
pub fn this_build() -> String {
    format!("#!/bin/sh\nexec {} \"$@\"\n", programs().join("gf-clawnode").display())
}

/// A runtime in which OpenClaw is the stand-in.
fn runtime(directory: &Path, programs: &Path) {
    let bin = directory.join("runtime/node/node_modules/.bin");
    let package = directory.join("runtime/openclaw/node_modules/openclaw");
    fs::create_dir_all(&bin).unwrap();
    fs::create_dir_all(&package).unwrap();
    fs::write(package.join("openclaw.mjs"), "").unwrap();
    fs::write(package.join("package.json"), r#"{"version":"2026.9.6"}"#).unwrap();
    let stand_in = programs.join("examples/openclaw-stand-in");
    fs::write(bin.join("node"), format!("#!/bin/sh\nexec {}\n", stand_in.display())).unwrap();
    fs::set_permissions(bin.join("node"), fs::Permissions::from_mode(0o755)).unwrap();
}

impl Node {
    /// Tells the control plane of it, and keeps the token that lets it in.
    pub fn expected(running: &Running, directory: &Path, name: &str, provider: &'static str) -> Self {
        let expected = json!({"id": name, "provider": provider, "region": "here"});
        let (status, expected) = running.ask("POST", "/v1/nodes", expected);
        assert_eq!(status, 200, "{expected}");
        let token = directory.join(format!("{name}.token"));
        fs::write(&token, expected["token"].as_str().unwrap()).unwrap();
        fs::set_permissions(&token, fs::Permissions::from_mode(0o600)).unwrap();
        Self {
            name: name.to_owned(),
            provider,
            directory: directory.to_owned(),
            release_key: None,
            child: None,
        }
    }

    pub fn believing(mut self, release_key: &str) -> Self {
        self.release_key = Some(release_key.to_owned());
        self
    }

    pub fn start(mut self, control: &str) -> Self {
        self.launch(control);
        self
    }

    /// Starts it, also again.
    pub fn launch(&mut self, control: &str) {
        let programs = programs();
        runtime(&self.directory, &programs);
        let child = Command::new(programs.join("gf-clawnode"))
            .args(["host", "--node", &self.name, "--provider", self.provider, "--control", control])
            .arg("--home")
            .arg(self.directory.join(&self.name))
            .arg("--token-file")
            .arg(self.directory.join(format!("{}.token", self.name)))
            .arg("--runtime")
            .arg(self.directory.join("runtime"))
            .args(self.release_key.iter().flat_map(|key| ["--release-key", key]))
            .stdin(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        self.child = Some(child);
    }

    pub fn signal(&self, name: &str) {
        let pid = self.child.as_ref().unwrap().id().to_string();
        assert!(Command::new("kill").args(["-s", name, &pid]).status().unwrap().success());
    }

    pub fn kill(&mut self) {
        let mut child = self.child.take().unwrap();
        child.kill().unwrap();
        child.wait().unwrap();
    }

    /// The process in which an instance of it runs.
    pub fn openclaw(&self, instance: &str) -> Option<i64> {
        let file = self.directory.join(&self.name).join("instances").join(instance).join("spec.json");
        let spec: serde_json::Value = serde_json::from_slice(&fs::read(file).ok()?).ok()?;
        spec["process"]["pid"].as_i64()
    }

    /// When an instance of it "sent", by the clock that leases go by.
    pub fn sent(&self, instance: &str) -> Vec<Duration> {
        let file = self.directory.join(&self.name).join("instances").join(instance).join("sent");
        let text = fs::read_to_string(file).unwrap_or_default();
        text.lines().filter_map(|line| line.parse().ok()).map(Duration::from_millis).collect()
    }
}

impl Drop for Node {
    /// Whatever it started goes with it.
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
        let instances = fs::read_dir(self.directory.join(&self.name).join("instances"));
        for instance in instances.into_iter().flatten().flatten() {
            if let Some(pid) = self.openclaw(&instance.file_name().to_string_lossy()) {
                let _ = Command::new("kill").args(["-s", "KILL", "--", &format!("-{pid}")]).status();
            }
        }
    }
}
