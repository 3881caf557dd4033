//! How this process speaks with somebody outside whom the operator named: over HTTP, or over HTTPS with a server that
//! proves its name by an authority that this machine trusts, or that is in a file.
//!
//! It must never follow to another address, and never go on with a server that proved less.

use anyhow::{Context, Result, bail};
use reqwest::{Certificate, Client, redirect::Policy};
use std::{path::Path, time::Duration};

/// What is answered later than this was not taken.
pub const PATIENCE: Duration = Duration::from_secs(10);

/// A client for this address. The address may hold a token: it is not repeated in what goes wrong.
pub fn client(what: &str, url: &str, authorities: Option<&Path>) -> Result<Client> {
    if !url.starts_with("http://") && !url.starts_with("https://") {
        bail!("the address of {what} must begin with http:// or https://");
    }
    let mut builder = Client::builder().timeout(PATIENCE).redirect(Policy::none());
    if let Some(path) = authorities {
        let named = || format!("{}, which vouches for {what}", path.display());
        let text = std::fs::read(path).with_context(|| format!("{} cannot be read", named()))?;
        let found = Certificate::from_pem_bundle(&text)
            .with_context(|| format!("{} holds no certificates as PEM", named()))?;
        if found.is_empty() {
            bail!("{} holds no certificate; give the authority's, as PEM", named());
        }
        builder = builder.tls_built_in_root_certs(false);
        builder = found.into_iter().fold(builder, |builder, one| builder.add_root_certificate(one));
    }
    builder.build().with_context(|| format!("no HTTP client could be made for {what}"))
}
