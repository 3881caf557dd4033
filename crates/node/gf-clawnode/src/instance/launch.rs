//! Starts the OpenClaw process of an instance, with nothing in its environment but what it needs.

use crate::{
    files,
    host::Runtime,
    instance::{Layout, Obstacle, logs, process::Process},
};
use gf_node_proto::FailureReason;
use openclaw_client::lean;
use std::{
    env,
    ffi::OsString,
    fs,
    io::{self, Write},
    os::unix::process::CommandExt,
    process::{Command, Stdio},
};

/// What an instance inherits: how to reach the network, and in which language and time zone to speak.
const INHERITED: [&str; 12] = [
    "LANG",
    "LC_ALL",
    "TZ",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "NO_PROXY",
    "http_proxy",
    "https_proxy",
    "no_proxy",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "NODE_EXTRA_CA_CERTS",
];
const LARGEST_OUTPUT: u64 = 4 * 1024 * 1024;

pub fn launch(runtime: &Runtime, layout: &Layout) -> Result<Process, Obstacle> {
    let failed = |why: io::Error| {
        let reason = match why.kind() {
            io::ErrorKind::NotFound | io::ErrorKind::PermissionDenied => FailureReason::BinaryMissing,
            io::ErrorKind::StorageFull => FailureReason::DiskFull,
            _ => FailureReason::ExitsAtOnce,
        };
        Obstacle::new(reason, format!("{} cannot be started: {why}", runtime.node().display()))
    };
    command(runtime, layout).and_then(|mut command| Process::start(&mut command)).map_err(failed)
}

fn command(runtime: &Runtime, layout: &Layout) -> io::Result<Command> {
    let output = output(layout)?;
    let home = layout.state().join("home");
    files::make_private_dir(&home)?;
    let mut command = Command::new(runtime.node());
    command
        .args(lean::node_arguments())
        .arg(runtime.openclaw())
        .args(["gateway", "run"])
        .current_dir(layout.state())
        .env_clear()
        .envs(INHERITED.iter().filter_map(|key| Some((key, env::var_os(key)?))))
        .env("PATH", search_path(runtime))
        .env("HOME", home)
        .envs(lean::environment(&layout.state(), &layout.config(), &runtime.compile_cache()))
        .stdin(Stdio::null())
        .stdout(output.try_clone()?)
        .stderr(output)
        // A group of its own: it outlives gf-clawnode, and all of it can be signalled.
        .process_group(0);
    Ok(command)
}

fn search_path(runtime: &Runtime) -> OsString {
    let system = env::var_os("PATH").unwrap_or_else(|| "/usr/local/bin:/usr/bin:/bin".into());
    let ours = runtime.path_directories().into_iter();
    env::join_paths(ours.chain(env::split_paths(&system))).unwrap_or(system)
}

/// Where it prints; the last life's output is kept once.
fn output(layout: &Layout) -> io::Result<fs::File> {
    let path = layout.output();
    if fs::metadata(&path).is_ok_and(|meta| meta.len() > LARGEST_OUTPUT) {
        fs::rename(&path, path.with_extension("log.1"))?;
    }
    let mut output = files::append_private(&path)?;
    writeln!(output, "{}", logs::LIFE_BEGINS)?;
    Ok(output)
}
