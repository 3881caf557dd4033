//! Debian packages that only tests and benches need: a browser to look at the fleet page, an IRC server to talk through,
//! the database that several control planes share, what kills one of them at a chosen moment, and what the node link is
//! measured against.

use crate::{Outcome, layout::Layout, lockdir, run};
use std::fs;
use std::path::Path;
use std::process::Command;

/// Its Debian name, with the programs of which one shows that it is there; `*` stands for any directory.
pub type Package = (&'static str, &'static [&'static str]);

pub const LINKS_ARE_MEASURED_AGAINST: [Package; 1] =
    [("nats-server", &["/usr/sbin/nats-server", "/usr/bin/nats-server", "/usr/local/bin/nats-server"])];

pub const TAKEOVERS_NEED: [Package; 1] = [POSTGRESQL];

const POSTGRESQL: Package =
    ("postgresql", &["/usr/lib/postgresql/*/bin/initdb", "/usr/local/bin/initdb", "/usr/bin/initdb"]);

pub const TESTS_NEED: [Package; 5] = [
    ("chromium", &["/usr/bin/chromium"]),
    ("ngircd", &["/usr/sbin/ngircd", "/usr/bin/ngircd"]),
    ("openssl", &["/usr/bin/openssl"]),
    POSTGRESQL,
    ("strace", &["/usr/bin/strace"]),
];

pub fn install(layout: &Layout, needed: &[Package]) -> Outcome<()> {
    let missing: Vec<&str> = needed
        .iter()
        .filter(|(_, programs)| !programs.iter().any(|program| is_there(program)))
        .map(|(package, _)| *package)
        .collect();
    if missing.is_empty() {
        return Ok(());
    }
    if !Path::new("/usr/bin/apt-get").exists() || !am_root() {
        return Err(format!(
            "{} {} missing; install {} (on Debian, as root: apt-get install {})",
            missing.join(" and "),
            if missing.len() == 1 { "is" } else { "are" },
            if missing.len() == 1 { "it" } else { "them" },
            missing.join(" ")
        ));
    }
    let logs = layout.cache.join("logs");
    lockdir::create_all(&logs)?;
    run::logged("apt-get update", &logs.join("apt-update.log"), Command::new("apt-get").arg("update"))?;
    let mut install = Command::new("apt-get");
    install.args(["install", "--yes", "--no-install-recommends"]).args(&missing);
    install.env("DEBIAN_FRONTEND", "noninteractive");
    run::logged(&format!("installing {}", missing.join(", ")), &logs.join("apt-install.log"), &mut install)
}

fn is_there(program: &str) -> bool {
    let Some((above, below)) = program.split_once("/*/") else { return Path::new(program).exists() };
    let all = fs::read_dir(above).into_iter().flatten().flatten();
    all.into_iter().any(|one| one.path().join(below).exists())
}

fn am_root() -> bool {
    run::output(Command::new("id").arg("-u")).is_ok_and(|uid| uid.trim() == "0")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_is_found_in_whichever_version_of_it_is_installed() {
        let root = std::env::temp_dir().join(format!("clawops-packages-{}", std::process::id()));
        let bin = root.join("15/bin");
        fs::create_dir_all(&bin).unwrap();
        fs::write(bin.join("initdb"), "").unwrap();
        let below = |name: &str| format!("{}/{name}", root.display());
        assert!(is_there(&below("*/bin/initdb")) && is_there(&below("15/bin/initdb")));
        assert!(!is_there(&below("*/bin/postgres")) && !is_there("/nowhere/at/all/*/bin/initdb"));
        fs::remove_dir_all(root).unwrap();
    }
}
