//! A state to begin from again and again: a home, with its fleet in a file or in PostgreSQL.

use crate::{
    controllers::joined,
    run::{Running, command, home, running},
};
use gf_postgres_cluster::Cluster;
use std::{
    path::{Path, PathBuf},
    process::Command,
};
use tempfile::TempDir;

/// Simulated machines are ready in a tenth of a second.
const PACE: &str = "0.002";

pub struct Kept {
    directory: TempDir,
    pub home: PathBuf,
    cluster: Option<Cluster>,
}

impl Kept {
    pub fn in_a_file() -> Self {
        let (directory, home) = home();
        Self { directory, home, cluster: None }
    }

    pub fn in_postgres() -> Self {
        let cluster = Cluster::start();
        cluster.database("fleet");
        Self { cluster: Some(cluster), ..Self::in_a_file() }
    }

    pub fn start(&self) -> Running {
        self.start_in(&self.home)
    }

    /// Another control plane of the fleet, in a new home, that follows the one that leads.
    pub fn follow(&self) -> Running {
        let other = self.scratch("other");
        let _ = std::fs::remove_dir_all(&other);
        joined(&other, &self.home);
        let follower = self.start_in(&other);
        assert_eq!(follower.ready["role"], "follower");
        follower
    }

    /// Where machines and memories are, one place for all.
    fn start_in(&self, home: &Path) -> Running {
        let mut command = command(home);
        command.args(["--sim-pairs", "1", "--sim-pace", PACE, "--files"]).arg(&self.home);
        if let Some(cluster) = &self.cluster {
            command.args(["--store", &cluster.url("fleet")]).env_remove("PGPASSFILE");
        }
        running(command, home)
    }

    pub fn scratch(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// Keeps the state under a name. Nobody may be using it.
    pub fn keep(&self, name: &str) {
        copy(&self.home, &self.scratch(name));
        if let Some(cluster) = &self.cluster {
            cluster.sql("postgres", &format!("DROP DATABASE IF EXISTS {name}"));
            cluster.sql("postgres", &format!("CREATE DATABASE {name} TEMPLATE fleet"));
        }
    }

    /// Begins from what was kept under a name.
    pub fn take_back(&self, name: &str) {
        copy(&self.scratch(name), &self.home);
        if let Some(cluster) = &self.cluster {
            cluster.sql("postgres", "DROP DATABASE fleet WITH (FORCE)");
            cluster.sql("postgres", &format!("CREATE DATABASE fleet TEMPLATE {name}"));
        }
    }
}

fn copy(from: &PathBuf, to: &PathBuf) {
    let _ = std::fs::remove_dir_all(to);
    assert!(Command::new("cp").arg("-a").arg(from).arg(to).status().unwrap().success());
}
