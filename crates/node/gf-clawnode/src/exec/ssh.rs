//! How this machine may be entered by SSH: what sshd says is in force, and how many keys open which account.
//!
//! Without the right to ask sshd itself its configuration file is read, and the report says so. No key is shown.

use super::{Programs, programs::missing, ssh_findings::findings};
use crate::host::Outcome;
use gf_node_proto::{SshReport, SshUser};
use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

/// What OpenSSH does where nothing is written.
const DEFAULTS: [(&str, &str); 7] = [
    ("port", "22"),
    ("permitrootlogin", "prohibit-password"),
    ("passwordauthentication", "yes"),
    ("kbdinteractiveauthentication", "yes"),
    ("pubkeyauthentication", "yes"),
    ("permitemptypasswords", "no"),
    ("maxauthtries", "6"),
];
/// A file that includes itself must end somewhere.
const MOST_INCLUDES: usize = 32;

/// Keywords in lower case with all their values.
type Settings = BTreeMap<String, Vec<String>>;

impl Programs {
    pub async fn ssh_audit(&self) -> Outcome<SshReport> {
        if !self.has("sshd") {
            return Err(missing("sshd"));
        }
        let (effective, settings) = match self.ask(&["sshd", "-T"]).await {
            Ok(printed) => (true, settings(&printed)),
            Err(why) => {
                let file = self.root.join("etc/ssh/sshd_config");
                match fs::read_to_string(&file) {
                    Ok(text) => (false, written(&text, &self.root, &mut 0)),
                    Err(_) => return Err(why),
                }
            }
        };
        let passwd = fs::read_to_string(self.root.join("etc/passwd")).unwrap_or_default();
        let mut report = report(effective, &settings, users(&passwd, &self.root));
        report.findings = findings(&report);
        Ok(report)
    }
}

/// `sshd -T`: a keyword and its value a line.
fn settings(printed: &str) -> Settings {
    let mut all = Settings::new();
    for (key, value) in printed.lines().filter_map(|line| line.trim().split_once(' ')) {
        all.entry(key.to_ascii_lowercase()).or_default().push(value.trim().to_owned());
    }
    all
}

/// The file itself: the first value of a keyword counts, and what stands under a `Match` is for some only.
fn written(text: &str, root: &Path, included: &mut usize) -> Settings {
    let mut all = Settings::new();
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')) {
        let Some((key, value)) = line.split_once([' ', '\t', '=']) else { continue };
        let (key, value) = (key.to_ascii_lowercase(), value.trim().trim_matches('"').to_owned());
        match key.as_str() {
            "match" => break,
            "include" => {
                for path in matching(&value, root) {
                    *included += 1;
                    if *included > MOST_INCLUDES {
                        break;
                    }
                    let inner = fs::read_to_string(path).unwrap_or_default();
                    for (key, values) in written(&inner, root, included) {
                        all.entry(key).or_insert(values);
                    }
                }
            }
            "port" | "allowusers" => all.entry(key).or_default().push(value),
            _ => {
                all.entry(key).or_insert_with(|| vec![value]);
            }
        }
    }
    all
}

/// Files of an `Include`: a path, or all `*.conf` of a directory.
fn matching(pattern: &str, root: &Path) -> Vec<PathBuf> {
    let at = root.join(pattern.trim_start_matches('/'));
    let at = if pattern.starts_with('/') { at } else { root.join("etc/ssh").join(pattern) };
    let (Some(directory), Some(name)) = (at.parent(), at.file_name().and_then(|name| name.to_str())) else {
        return Vec::new();
    };
    let Some(ending) = name.strip_prefix('*') else { return vec![at] };
    let entries = fs::read_dir(directory).into_iter().flatten().flatten().map(|entry| entry.path());
    let mut found: Vec<_> = entries.filter(|path| path.to_string_lossy().ends_with(ending)).collect();
    found.sort();
    found
}

fn report(effective: bool, settings: &Settings, users: Vec<SshUser>) -> SshReport {
    let default = |key: &str| DEFAULTS.iter().find(|(name, _)| *name == key).map(|(_, value)| *value);
    let all = |key: &str| settings.get(key).cloned().unwrap_or_default();
    let one =
        |key: &str| all(key).first().cloned().or_else(|| default(key).map(str::to_owned)).unwrap_or_default();
    let on = |key: &str| one(key) == "yes";
    let mut ports: Vec<u32> = all("port").iter().filter_map(|port| port.parse().ok()).collect();
    if ports.is_empty() {
        ports.push(22);
    }
    SshReport {
        effective,
        ports,
        permit_root_login: match one("permitrootlogin").as_str() {
            // Two names of one thing; sshd itself prints the old one.
            "prohibit-password" => "without-password".to_owned(),
            other => other.to_owned(),
        },
        password_authentication: on("passwordauthentication"),
        keyboard_interactive: on("kbdinteractiveauthentication"),
        public_keys: on("pubkeyauthentication"),
        empty_passwords: on("permitemptypasswords"),
        max_auth_tries: one("maxauthtries").parse().unwrap_or_default(),
        allow_users: all("allowusers")
            .iter()
            .flat_map(|line| line.split_whitespace())
            .map(str::to_owned)
            .collect(),
        users,
        findings: Vec::new(),
    }
}

/// Accounts that somebody may log in to and whose keys could be counted.
fn users(passwd: &str, root: &Path) -> Vec<SshUser> {
    let accounts = passwd.lines().filter_map(|line| {
        let fields: Vec<_> = line.split(':').collect();
        let (name, home, shell) = (*fields.first()?, *fields.get(5)?, *fields.get(6)?);
        let may_enter = !shell.ends_with("nologin") && !shell.ends_with("false") && home.starts_with('/');
        may_enter.then_some((name, home))
    });
    let counted = accounts.filter_map(|(name, home)| {
        let file = root.join(home.trim_start_matches('/')).join(".ssh/authorized_keys");
        let text = fs::read_to_string(file).ok()?;
        let keys = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
        Some(SshUser {
            name: name.to_owned(),
            authorized_keys: u32::try_from(keys.count()).unwrap_or(u32::MAX),
        })
    });
    counted.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exec::programs::stage;
    use gf_node_proto::FailureCode;

    #[tokio::test]
    async fn sshd_itself_is_asked_first() {
        let (dir, programs) = stage::empty();
        stage::recorded(&dir, "sshd", "-T", "sshd-hardened.txt");
        let report = programs.ssh_audit().await.unwrap();
        assert!(report.effective && !report.password_authentication && report.public_keys);
        assert_eq!((report.ports.as_slice(), report.max_auth_tries), (&[2222][..], 6));
        assert_eq!(report.permit_root_login, "without-password");
        assert_eq!(report.allow_users, ["ops"]);
        stage::recorded(&dir, "sshd", "-T", "sshd-default.txt");
        let report = programs.ssh_audit().await.unwrap();
        assert!(
            report.password_authentication && report.findings.iter().any(|said| said.contains("password"))
        );
    }

    #[tokio::test]
    async fn without_the_right_to_ask_the_file_is_read_and_said_to_be() {
        let (dir, programs) = stage::empty();
        stage::install(&dir, "sshd", "echo 'sshd: no hostkeys available -- exiting.' >&2; exit 1");
        let why = programs.ssh_audit().await.unwrap_err();
        assert_eq!(why.code(), FailureCode::Program);

        let ssh = dir.path().join("etc/ssh/sshd_config.d");
        fs::create_dir_all(&ssh).unwrap();
        fs::write(ssh.join("50-cloud.conf"), "PasswordAuthentication no\n").unwrap();
        let main = "Include /etc/ssh/sshd_config.d/*.conf\nPasswordAuthentication yes\nPermitRootLogin no\n\
                    Match User git\n  PermitRootLogin yes\n";
        fs::write(dir.path().join("etc/ssh/sshd_config"), main).unwrap();
        let report = programs.ssh_audit().await.unwrap();
        assert!(!report.effective && !report.password_authentication, "the first value counts: {report:?}");
        assert_eq!((report.permit_root_login.as_str(), report.ports.as_slice()), ("no", &[22][..]));
    }

    #[tokio::test]
    async fn keys_are_counted_and_never_shown() {
        let (dir, programs) = stage::empty();
        stage::recorded(&dir, "sshd", "-T", "sshd-hardened.txt");
        for path in ["etc", "home/ops/.ssh"] {
            fs::create_dir_all(dir.path().join(path)).unwrap();
        }
        let passwd = "root:x:0:0:root:/root:/bin/bash\nops:x:1000:1000::/home/ops:/bin/bash\nwww:x:33:33::/var/www:/usr/sbin/nologin\n";
        fs::write(dir.path().join("etc/passwd"), passwd).unwrap();
        let keys = "# laptop\nssh-ed25519 AAAA1 a\n\nssh-ed25519 AAAA2 b\n";
        fs::write(dir.path().join("home/ops/.ssh/authorized_keys"), keys).unwrap();
        let report = programs.ssh_audit().await.unwrap();
        assert_eq!(report.users, [SshUser { name: "ops".into(), authorized_keys: 2 }]);
        assert!(!format!("{report:?}").contains("AAAA"));
    }

    #[tokio::test]
    async fn without_sshd_nothing_is_claimed() {
        let (_dir, programs) = stage::empty();
        assert_eq!(programs.ssh_audit().await.unwrap_err().code(), FailureCode::NotInstalled);
    }
}
