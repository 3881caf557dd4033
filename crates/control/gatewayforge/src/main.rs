//! The control plane's process. Wiring only: what it decides is decided in other crates.

mod ambient;
mod args;
mod boot;
mod companion;
mod debug;
mod first_start;
mod gateways;
mod heartbeat;
mod keys;
mod known;
mod lead;
mod log;
mod nodes;
mod operators;
mod otlp;
mod outside;
mod places;
mod ready;
mod restore;
mod serve;
mod store;

use clap::Parser;
use std::process::ExitCode;

fn main() -> ExitCode {
    let args = args::Args::parse();
    let (spans, exporter) = match otlp::to(args.otlp_endpoint.as_deref(), args.outside_authorities.as_deref())
    {
        Ok(Some((spans, exporter))) => (Some(spans), Some(exporter)),
        Ok(None) => (None, None),
        Err(why) => return fail(&why),
    };
    log::start(args.log_json, spans);
    let runtime = match tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build() {
        Ok(runtime) => runtime,
        Err(why) => return fail(&anyhow::Error::new(why).context("no runtime could be started")),
    };
    let done = match args.command.clone() {
        Some(args::Command::Join { home, from }) => keys::join(&home, &from),
        Some(args::Command::Debug { what, limit, home, store, store_password_file }) => {
            debug::run(&args::Args { home, store, store_password_file, ..args }, what, limit)
        }
        Some(args::Command::Restore { home, from, keys, replace, store, store_password_file }) => {
            let database = store::asked(&args::Args { store, store_password_file, ..args });
            database.and_then(|into| {
                let asked = restore::Asked { home: &home, from: &from, keys: keys.as_deref(), replace, into };
                runtime.block_on(restore::run(asked))
            })
        }
        None => runtime.block_on(boot::run(args, exporter)),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => fail(&why),
    }
}

fn fail(why: &anyhow::Error) -> ExitCode {
    eprintln!("gatewayforge: {why:#}");
    ExitCode::FAILURE
}
