//! The control plane's own store: a copy of it made and checked, put back, and a loss accepted.

use crate::api::Api;
use crate::args::{Consent, StoreCommand, StoreRestoreArgs};
use crate::consent::confirm;
use crate::home::Home;
use crate::output;
use crate::problem::{Problem, Result};
use crate::up::parts::{CONTROL_PLANE, beside_us};
use crate::up::process;
use bytes::{Buf, Bytes, BytesMut};
use http_body_util::BodyExt;
use hyper::{Method, body::Incoming};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::process::Command;

const BACKUP: &str = "/v1/store/backup";

pub async fn run(api: &Api, command: StoreCommand, as_json: bool) -> Result<()> {
    match command {
        StoreCommand::Backup { file } => back_up(api, &file, as_json).await,
        StoreCommand::AcceptLoss { consent } => accept_loss(api, consent, as_json).await,
        // It needs no control plane; `main` runs it before a connection is opened.
        StoreCommand::Restore(_) => Ok(()),
    }
}

async fn back_up(api: &Api, file: &Path, as_json: bool) -> Result<()> {
    if file.exists() {
        return Err(Problem::Bad {
            what: "the file for the copy",
            value: file.display().to_string(),
            fix: "there is one already; give another name".into(),
        });
    }
    let mut sent = Sent { body: api.stream(Method::POST, BACKUP).await?, waiting: BytesMut::new() };
    let told = loop {
        let line = sent.line().await?;
        if let Some(why) = line["error"].as_str() {
            return Err(Problem::Failed(format!("the control plane could not make the copy: {why}")));
        }
        if line["bytes"].is_u64() {
            break line;
        }
        progress(as_json, &format!("copying: {} KiB", line["copied"].as_u64().unwrap_or_default() / 1024));
    };
    // Under another name until it is known to be whole.
    let half = file.with_extension("part");
    let written = write(&mut sent, &half, &told, as_json).await.and_then(|()| check(&half, &told));
    let placed = written.and_then(|()| fs::rename(&half, file).map_err(|e| Problem::file(file, e)));
    if let Err(problem) = placed {
        let _ = fs::remove_file(&half);
        return Err(problem);
    }
    if as_json {
        output::json(&told);
        return Ok(());
    }
    let n = |name: &str| told[name].as_u64().unwrap_or_default();
    output::print(&format!(
        "{}: {} KiB as of {}, read back: {} accounts, {} instances, {} sealed secrets, {} audit rows{}.",
        file.display(),
        n("bytes") / 1024,
        output::cell(&told["madeAt"]),
        n("accounts"),
        n("instances"),
        n("sealed"),
        n("rows"),
        if told["whole"] == true {
            ", all chained"
        } else {
            ", which are NOT whole: see `clawops audit verify`"
        },
    ));
    output::print("No key is in it: keep a copy of the home's directory `keys` too, and elsewhere.");
    Ok(())
}

fn progress(as_json: bool, text: &str) {
    if !as_json && output::on_terminal() {
        eprint!("\r{text}   ");
    }
}

/// An answer that begins with lines of JSON.
struct Sent {
    body: Incoming,
    waiting: BytesMut,
}

impl Sent {
    async fn more(&mut self) -> Result<Option<Bytes>> {
        let broken = |problem: String| Problem::Unexpected { path: BACKUP.into(), problem };
        match self.body.frame().await {
            None => Ok(None),
            Some(Ok(frame)) => Ok(Some(frame.into_data().unwrap_or_default())),
            Some(Err(error)) => Err(broken(error.to_string())),
        }
    }

    async fn line(&mut self) -> Result<Value> {
        loop {
            if let Some(end) = self.waiting.iter().position(|byte| *byte == b'\n') {
                let line = self.waiting.split_to(end);
                self.waiting.advance(1);
                return serde_json::from_slice(&line)
                    .map_err(|e| Problem::Unexpected { path: BACKUP.into(), problem: e.to_string() });
            }
            match self.more().await? {
                Some(bytes) => self.waiting.extend_from_slice(&bytes),
                None => return Err(Problem::Failed("the copy ended before it began".into())),
            }
        }
    }
}

async fn write(sent: &mut Sent, half: &Path, told: &Value, as_json: bool) -> Result<()> {
    let failed = |e| Problem::file(half, e);
    let opened = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(half);
    let mut file = opened.map_err(failed)?;
    let whole = told["bytes"].as_u64().unwrap_or_default();
    let mut written = 0;
    let mut next = Some(sent.waiting.split().freeze());
    while let Some(bytes) = next {
        file.write_all(&bytes).map_err(failed)?;
        written += bytes.len() as u64;
        progress(as_json, &format!("writing: {} of {} KiB", written / 1024, whole / 1024));
        next = sent.more().await?;
    }
    if output::on_terminal() && !as_json {
        eprintln!();
    }
    file.sync_all().map_err(failed)
}

/// What lies on the disk now is what the control plane read back.
fn check(half: &Path, told: &Value) -> Result<()> {
    let mut digest = Sha256::new();
    let mut file = File::open(half).map_err(|e| Problem::file(half, e))?;
    let bytes = io::copy(&mut file, &mut digest).map_err(|e| Problem::file(half, e))?;
    if told["bytes"].as_u64() != Some(bytes) || told["sha256"] != hex::encode(digest.finalize()) {
        return Err(Problem::Failed(format!(
            "what was written ({bytes} bytes) is not what the control plane sent; nothing was kept: ask again"
        )));
    }
    Ok(())
}

/// Done by the control plane's own program, which is not running.
pub fn restore(home: &Home, args: StoreRestoreArgs) -> Result<()> {
    if let Some(running) = process::alive(home, CONTROL_PLANE) {
        return Err(Problem::Failed(format!(
            "the control plane of this home runs (pid {}); stop it first with `clawops down`",
            running.pid
        )));
    }
    let mut command = Command::new(beside_us(CONTROL_PLANE)?);
    command.arg("restore").arg("--home").arg(&home.dir).arg("--from").arg(&args.file);
    if let Some(keys) = &args.keys {
        command.arg("--keys").arg(keys);
    }
    if args.replace {
        command.arg("--replace");
    }
    if let Some(store) = &args.store {
        command.arg("--store").arg(store);
    }
    if let Some(file) = &args.store_password_file {
        command.arg("--store-password-file").arg(file);
    }
    let output = command.output().map_err(|e| Problem::Failed(format!("gatewayforge cannot be run: {e}")))?;
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim().to_owned();
    if !output.status.success() {
        return Err(Problem::Failed(text(&output.stderr)));
    }
    output::print(&text(&output.stdout));
    Ok(())
}

async fn accept_loss(api: &Api, consent: Consent, as_json: bool) -> Result<()> {
    let health = api.get("/healthz").await?;
    let Some(stored) = health["lost"]["stored"].as_u64() else {
        return Err(Problem::Failed("no loss waits for a word at the control plane that was asked".into()));
    };
    confirm(&output::cell(&health["halted"]), consent)?;
    let done = api.post("/v1/store/accept-loss", json!({ "stored": stored })).await?;
    match as_json {
        true => output::json(&done),
        false => output::print("Accepted, and written into the audit trail. The control planes go on."),
    }
    Ok(())
}
