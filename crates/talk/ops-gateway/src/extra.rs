//! Official OpenClaw packages that are not bundled with it. Only OpenClaw itself can install them: loaded from a
//! path, a channel is refused its durable inbox. Done once, because it takes ten seconds and the npm registry.

use crate::{Error, Layout, OpsGateway, Result, files};
use openclaw_client::lean;
use std::fs;
use std::path::Path;
use std::process::Stdio;
use tokio::process::Command;

impl OpsGateway {
    pub(crate) async fn install_packages(&self) -> Result<()> {
        let layout = Layout::of(&self.home);
        for package in &self.packages {
            if !is_installed(&layout.state, package) {
                self.install(&layout, package).await?;
            }
        }
        Ok(())
    }

    async fn install(&self, layout: &Layout, package: &'static str) -> Result<()> {
        // The real configuration already names the channel, and is not valid before the channel exists.
        let config = layout.state.join("install.json");
        files::write(&config, "{}")?;
        let output = Command::new(&self.runtime.node)
            .arg(&self.runtime.openclaw)
            .args(["plugins", "install", package, "--force", "--pin"])
            .envs(lean::environment(&layout.state, &config, &self.runtime.compile_cache))
            .stdin(Stdio::null())
            .output()
            .await
            .map_err(|source| Error::Spawn { program: self.runtime.node.clone(), source })?;
        let tidy = fs::remove_file(&config);
        if output.status.success() && is_installed(&layout.state, package) {
            return tidy.map_err(|source| Error::File { action: "remove", path: config, source });
        }
        let words = [output.stdout, output.stderr].concat();
        let words = String::from_utf8_lossy(&words);
        let last: Vec<&str> = words.lines().rev().take(5).collect();
        Err(Error::Package { package, last_words: last.into_iter().rev().collect::<Vec<_>>().join(" ") })
    }
}

/// OpenClaw keeps each in a project of its own: `npm/projects/openclaw-irc-<hash>`.
fn is_installed(state: &Path, package: &str) -> bool {
    let name = package.rsplit_once('@').map_or(package, |(name, _)| name);
    let project = format!("{}-", name.trim_start_matches('@').replace('/', "-"));
    let projects = fs::read_dir(state.join("npm/projects"));
    projects.into_iter().flatten().flatten().any(|entry| {
        entry.file_name().to_string_lossy().starts_with(&project)
            && entry.path().join("node_modules").join(name).is_dir()
    })
}
