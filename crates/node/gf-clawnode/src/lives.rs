//! The lives of one host process: it serves, makes room for a new program, becomes it or serves on.
//!
//! Each life has a runtime of its own, so that nothing of the last one is still under way. Must never end a process whose
//! new program did not pass.

use crate::{
    host::{self, Ended, HostError, Options},
    program::{Program, Start, ends_with_its_parent, try_out},
};
use std::{os::unix::process::CommandExt, process::Command, sync::Arc, time::Duration};

/// Returns when the process is to end, with what a person should know.
pub fn run(options: Options) -> Result<(), String> {
    let settings = options.check().map_err(|why| explain(&why))?;
    let opened = Program::open(&settings.home, settings.release_keys.clone());
    let (program, start) =
        opened.map_err(|source| explain(&HostError::Program { path: settings.home.clone(), source }))?;
    if let Start::Become(released) = start
        && let Some(command) = program.command(Some(&released))
    {
        return Err(become_it(command));
    }
    if program.is_tried() {
        ends_with_its_parent();
    }
    let program = Arc::new(program);
    loop {
        let life = serve(host::run(settings.clone(), Arc::clone(&program))).map_err(|why| explain(&why))?;
        let ended = life.map_err(|why| explain(&why))?;
        let pending = match (ended, program.pending()) {
            (Ended::ForAnUpdate, Some(pending)) => pending,
            _ => return Ok(()),
        };
        tracing::info!(version = pending.version, "another gf-clawnode is tried in this one's place");
        let tried = serve(try_out(&program)).map_err(|why| explain(&why))?;
        if let Err(why) = program.tried(&tried.outcome) {
            tracing::error!(%why, "how the trial ended could not be written down");
        } else if tried.outcome.is_ok()
            && let Some(command) = program.command(pending.target.as_ref())
        {
            return Err(become_it(command));
        }
        if let Err(why) = &tried.outcome {
            tracing::error!(
                version = pending.version,
                why,
                "the new gf-clawnode did not pass; this one serves on"
            );
        }
        if tried.leave {
            return Ok(());
        }
    }
}

/// Returns only where that cannot be.
fn become_it(mut command: Command) -> String {
    let why = command.exec();
    format!("{} cannot take this process's place: {why}", command.get_program().display())
}

/// One thread, and short-lived helpers for copying files: a node must hardly be noticed beside OpenClaw.
pub fn serve<T>(life: impl Future<Output = T>) -> std::io::Result<T> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .max_blocking_threads(4)
        .thread_keep_alive(Duration::from_secs(1))
        .thread_stack_size(512 * 1024)
        .build()?;
    Ok(runtime.block_on(life))
}

/// An error and what caused it, in one line.
pub fn explain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        text = format!("{text}: {inner}");
        cause = inner.source();
    }
    text
}
