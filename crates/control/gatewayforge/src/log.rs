//! The log goes to standard error: whoever starts the process decides where that leads.

use tracing_subscriber::EnvFilter;

pub fn start(json: bool) {
    let filter = EnvFilter::try_from_env("CLAWOPS_LOG").unwrap_or_else(|_| EnvFilter::new("info"));
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    if json { log.json().init() } else { log.with_ansi(false).init() }
}
