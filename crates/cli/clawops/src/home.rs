//! The one directory that holds all state of a ClawOps, and the ports that belong to it.
//!
//! Only names of files and ports; nothing here reads a secret but the operator's own key.

use crate::problem::{Problem, Result};
use std::fs::{self, DirBuilder};
use std::net::{Ipv4Addr, SocketAddr};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

pub const DEFAULT_PORT_BASE: u16 = 7400;
/// Up to the last port that instances may take.
const PORTS_NEEDED: u16 = 2000;
/// Any of these in a directory shows that it is a home.
const OURS: [&str; 4] = ["run", "keys", "settings.json", "port-base"];

#[derive(Debug, Clone)]
pub struct Home {
    pub dir: PathBuf,
    pub port_base: u16,
}

impl Home {
    /// What was typed, else what the environment says, else the usual places.
    pub fn find_with_environment(dir: Option<PathBuf>, port_base: Option<u16>) -> Result<Self> {
        let set = |name| std::env::var_os(name).filter(|value| !value.is_empty());
        let port_base = match (port_base, set("CLAWOPS_PORT_BASE")) {
            (None, Some(text)) => match text.to_str().and_then(|text| text.parse().ok()) {
                Some(base) => Some(base),
                None => return Err(bad_port_base("CLAWOPS_PORT_BASE", &text.to_string_lossy())),
            },
            (typed, _) => typed,
        };
        Self::find(dir.or_else(|| set("CLAWOPS_HOME").map(PathBuf::from)), port_base)
    }

    /// Without a directory the XDG state directory. The port base of a home that was up before is kept.
    pub fn find(dir: Option<PathBuf>, port_base: Option<u16>) -> Result<Self> {
        let dir = match dir {
            Some(dir) => std::path::absolute(&dir).map_err(|e| Problem::file(&dir, e))?,
            None => default_dir()?,
        };
        let mut home = Self { dir, port_base: DEFAULT_PORT_BASE };
        home.port_base = match port_base {
            Some(base) => checked(base)?,
            None => home.remembered_port_base()?.unwrap_or(DEFAULT_PORT_BASE),
        };
        Ok(home)
    }

    fn port_base_file(&self) -> PathBuf {
        self.dir.join("port-base")
    }

    fn remembered_port_base(&self) -> Result<Option<u16>> {
        let path = self.port_base_file();
        match fs::read_to_string(&path) {
            Ok(text) => match text.trim().parse() {
                Ok(base) => checked(base).map(Some),
                Err(_) => Err(Problem::Bad {
                    what: "the remembered port base",
                    value: text.trim().to_owned(),
                    fix: format!("write a number such as {DEFAULT_PORT_BASE} into {}", path.display()),
                }),
            },
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(e) => Err(Problem::file(&path, e)),
        }
    }

    /// Makes the directory, for its owner only, and checks that it can be written.
    pub fn create(&self) -> Result<()> {
        self.refuse_somebody_elses()?;
        for dir in ["", "run", "keys", "logs", "hosts"] {
            make_private(&self.dir.join(dir))?;
        }
        Ok(())
    }

    /// From now on these are the ports of this home.
    pub fn remember_ports(&self) -> Result<()> {
        let path = self.port_base_file();
        fs::write(&path, format!("{}\n", self.port_base)).map_err(|e| Problem::file(&path, e))
    }

    /// The ports of what runs in it, if it was up before.
    pub fn port_base_of_last_up(&self) -> Result<Option<u16>> {
        self.remembered_port_base()
    }

    /// A directory that holds other things is never taken over: it would be closed to everybody but its owner.
    fn refuse_somebody_elses(&self) -> Result<()> {
        let held: Vec<_> = match fs::read_dir(&self.dir) {
            Ok(entries) => entries.flatten().map(|entry| entry.file_name()).collect(),
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(()),
            Err(e) => return Err(Problem::file(&self.dir, e)),
        };
        let ours = held.iter().any(|name| OURS.iter().any(|ours| name == ours));
        if held.is_empty() || ours {
            return Ok(());
        }
        Err(Problem::Bad {
            what: "the state directory",
            value: self.dir.display().to_string(),
            fix: "it holds files that are not ClawOps' own; give --home DIR with a new or an empty directory"
                .into(),
        })
    }

    pub fn exists(&self) -> bool {
        self.dir.join("run").is_dir()
    }

    pub fn run(&self, process: &str) -> PathBuf {
        self.dir.join("run").join(format!("{process}.json"))
    }
    pub fn log(&self, process: &str) -> PathBuf {
        self.dir.join("logs").join(format!("{process}.log"))
    }
    pub fn key(&self, name: &str) -> PathBuf {
        self.dir.join("keys").join(name)
    }
    pub fn host(&self, node: &str) -> PathBuf {
        self.dir.join("hosts").join(node)
    }

    pub fn control_plane(&self) -> SocketAddr {
        self.port(10)
    }
    pub fn brain(&self) -> SocketAddr {
        self.port(11)
    }
    pub fn ops_gateway(&self) -> SocketAddr {
        self.port(20)
    }
    fn port(&self, offset: u16) -> SocketAddr {
        (Ipv4Addr::LOCALHOST, self.port_base + offset).into()
    }
}

fn default_dir() -> Result<PathBuf> {
    let set = |name| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    set("XDG_STATE_HOME")
        .or_else(|| set("HOME").map(|home| home.join(".local/state")))
        .map(|base| base.join("clawops"))
        .ok_or_else(|| Problem::Bad {
            what: "HOME",
            value: "not set".into(),
            fix: "set HOME, or give --home DIR".into(),
        })
}

fn checked(base: u16) -> Result<u16> {
    if (1024..=u16::MAX - PORTS_NEEDED).contains(&base) {
        return Ok(base);
    }
    Err(bad_port_base("--port-base", &base.to_string()))
}

fn bad_port_base(what: &str, value: &str) -> Problem {
    Problem::Usage {
        what: what.to_owned(),
        problem: format!("{value:?} cannot be the first of our ports"),
        fix: format!("give a number from 1024 to {}", u16::MAX - PORTS_NEEDED),
    }
}

fn make_private(dir: &Path) -> Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(dir).map_err(|e| Problem::file(dir, e))?;
    let meta = fs::metadata(dir).map_err(|e| Problem::file(dir, e))?;
    if meta.uid() != rustix::process::getuid().as_raw() {
        return Err(Problem::Bad {
            what: "the state directory",
            value: dir.display().to_string(),
            fix: "it belongs to another user; give --home DIR with a directory of your own".into(),
        });
    }
    if meta.mode() & 0o077 != 0 {
        fs::set_permissions(dir, fs::Permissions::from_mode(0o700)).map_err(|e| Problem::file(dir, e))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_home_is_private_and_remembers_its_ports() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("home");
        let home = Home::find(Some(path.clone()), Some(9000)).unwrap();
        home.create().unwrap();
        home.remember_ports().unwrap();
        assert_eq!(fs::metadata(path.join("keys")).unwrap().mode() & 0o777, 0o700);

        let again = Home::find(Some(path), None).unwrap();
        assert_eq!(again.control_plane().to_string(), "127.0.0.1:9010");
    }

    #[test]
    fn a_directory_with_other_peoples_files_is_left_as_it_is() {
        let dir = tempfile::tempdir().unwrap();
        fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o755)).unwrap();
        fs::write(dir.path().join("thesis.tex"), "mine").unwrap();
        let refused = Home::find(Some(dir.path().into()), None).unwrap().create().unwrap_err().to_string();
        assert!(refused.contains("--home"), "{refused}");
        assert_eq!(fs::metadata(dir.path()).unwrap().mode() & 0o777, 0o755);

        fs::write(dir.path().join("settings.json"), "{}").unwrap();
        Home::find(Some(dir.path().into()), None).unwrap().create().unwrap();
    }

    #[test]
    fn a_port_base_that_leaves_no_room_is_refused() {
        assert!(Home::find(Some("/tmp/x".into()), Some(80)).is_err());
        assert!(Home::find(Some("/tmp/x".into()), Some(65_000)).is_err());
    }
}
