//! The command line of the host, checked before anything is touched.

use super::{
    Runtime,
    control::{BadAddress, Control},
};
use clap::Args;
use gf_model::NodeId;
use gf_node_proto::{EnrolmentToken, VerifyingKey};
use std::{fs, net::SocketAddr, path::PathBuf};

#[derive(Debug, Args)]
pub struct Options {
    /// The directory that this node keeps everything in.
    #[arg(long)]
    home: PathBuf,
    /// The node's name, such as node-local-a.
    #[arg(long)]
    node: String,
    /// The failure domain that it stands for, such as local-a.
    #[arg(long)]
    provider: String,
    /// The control plane's link, such as ws://127.0.0.1:7410/node/v1/link, or wss://control.example:7443/node/v1/link
    /// where it is on another machine. Give it once for each control plane of the fleet: any of them will do.
    #[arg(long, required = true, value_delimiter = ',')]
    control: Vec<String>,
    /// A file with the single-use enrolment token; not needed once the node has enrolled.
    #[arg(long)]
    token_file: Option<PathBuf>,
    /// The directory with `node` and `openclaw` in it; the newest installed one by default.
    #[arg(long)]
    runtime: Option<PathBuf>,
    /// Where other nodes ask this one, while the control plane is silent, whether they may serve on: an address of this
    /// machine that they reach. Port 0 is any free one, the same again after a restart.
    #[arg(long, default_value = "127.0.0.1:0")]
    witness_listen: SocketAddr,
    /// The public key, in hexadecimal, of whoever makes releases of gf-clawnode. Without one this node updates itself to
    /// none; give it once for each key that is believed.
    #[arg(long, value_name = "HEX", value_parser = release_key)]
    release_key: Vec<VerifyingKey>,
    /// Let the control plane restart this machine.
    #[arg(long)]
    may_reboot: bool,
}

#[derive(Debug, thiserror::Error)]
pub enum BadOption {
    #[error("--node: {0}")]
    Node(#[source] gf_model::ids::BadId),
    #[error("--control: {0}")]
    Control(#[source] BadAddress),
    #[error("--token-file: {} cannot be read", path.display())]
    TokenFile {
        path: PathBuf,
        #[source]
        source: std::io::Error,
    },
    #[error("--token-file: {}", .path.display())]
    Token {
        path: PathBuf,
        #[source]
        source: gf_node_proto::TokenError,
    },
    #[error("this node has not enrolled yet: give --token-file")]
    NoToken,
    #[error("--home: {} must be absolute", .0.display())]
    Home(PathBuf),
}

#[derive(Debug, Clone)]
pub struct Settings {
    pub home: PathBuf,
    pub node: NodeId,
    pub provider: String,
    /// At least one.
    pub controls: Vec<Control>,
    pub token_file: Option<PathBuf>,
    pub runtime: Option<Runtime>,
    pub may_reboot: bool,
    pub release_keys: Vec<VerifyingKey>,
    pub witness_listen: SocketAddr,
}

impl Options {
    pub fn check(self) -> Result<Settings, BadOption> {
        let home = std::path::absolute(&self.home).map_err(|_| BadOption::Home(self.home))?;
        Ok(Settings {
            home,
            node: self.node.parse().map_err(BadOption::Node)?,
            provider: self.provider,
            controls: self
                .control
                .iter()
                .map(|url| Control::parse(url).map_err(BadOption::Control))
                .collect::<Result<_, _>>()?,
            token_file: self.token_file,
            runtime: self.runtime.map(Runtime::at),
            may_reboot: self.may_reboot,
            release_keys: self.release_key,
            witness_listen: self.witness_listen,
        })
    }
}

fn release_key(text: &str) -> Result<VerifyingKey, String> {
    let bytes = hex::decode(text).map_err(|why| why.to_string())?;
    gf_node_proto::key_from_bytes(&bytes).map_err(|why| why.to_string())
}

impl Settings {
    /// The enrolment token, read only when it is needed.
    pub fn token(&self) -> Result<Option<EnrolmentToken>, BadOption> {
        let Some(path) = &self.token_file else { return Ok(None) };
        let text =
            fs::read_to_string(path).map_err(|source| BadOption::TokenFile { path: path.clone(), source })?;
        text.parse().map(Some).map_err(|source| BadOption::Token { path: path.clone(), source })
    }
}
