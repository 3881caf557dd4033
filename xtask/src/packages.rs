//! Debian packages that only tests need: a browser to look at the fleet page, an IRC server to talk through.

use crate::{Outcome, layout::Layout, lockdir, run};
use std::path::Path;
use std::process::Command;

/// Each with the program that shows that it is there.
const NEEDED: [(&str, &[&str]); 2] =
    [("chromium", &["/usr/bin/chromium"]), ("ngircd", &["/usr/sbin/ngircd", "/usr/bin/ngircd"])];

pub fn install(layout: &Layout) -> Outcome<()> {
    let missing: Vec<&str> = NEEDED
        .iter()
        .filter(|(_, programs)| !programs.iter().any(|program| Path::new(program).exists()))
        .map(|(package, _)| *package)
        .collect();
    if missing.is_empty() {
        return Ok(());
    }
    if !Path::new("/usr/bin/apt-get").exists() || !am_root() {
        return Err(format!(
            "the tests need {}; install {} (on Debian, as root: apt-get install {})",
            missing.join(" and "),
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

fn am_root() -> bool {
    run::output(Command::new("id").arg("-u")).is_ok_and(|uid| uid.trim() == "0")
}
