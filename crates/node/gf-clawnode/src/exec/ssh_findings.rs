//! What a person should look at in an SSH report: a pure judgement of what was read.

use gf_node_proto::SshReport;

pub(super) fn findings(report: &SshReport) -> Vec<String> {
    let passwords = report.password_authentication || report.keyboard_interactive;
    let root = report.permit_root_login.as_str();
    let keys: u32 = report.users.iter().map(|user| user.authorized_keys).sum();
    let rules = [
        (report.empty_passwords, "an account without a password may log in; set PermitEmptyPasswords no"),
        (
            root == "yes" && passwords,
            "root may log in with a password; set PermitRootLogin prohibit-password or no",
        ),
        (
            root == "yes" && !passwords,
            "root may log in with a key; set PermitRootLogin no where nobody needs it",
        ),
        (
            report.password_authentication,
            "passwords can be tried by anybody who reaches the port; set PasswordAuthentication no",
        ),
        (
            report.keyboard_interactive && !report.password_authentication,
            "keyboard-interactive may still ask for a password; set KbdInteractiveAuthentication no",
        ),
        (
            !report.public_keys,
            "keys are refused, so that only passwords are left; set PubkeyAuthentication yes",
        ),
        (
            !passwords && keys == 0,
            "nobody's key could be found and passwords are off: nobody may be able to log in",
        ),
        (report.max_auth_tries > 6, "more than six attempts a connection are allowed; set MaxAuthTries 6"),
        (!report.effective, "sshd could not be asked itself; this is what its file says"),
    ];
    rules.into_iter().filter(|(applies, _)| *applies).map(|(_, said)| said.to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use gf_node_proto::SshUser;

    fn tight() -> SshReport {
        SshReport {
            effective: true,
            permit_root_login: "no".into(),
            public_keys: true,
            max_auth_tries: 6,
            users: vec![SshUser { name: "ops".into(), authorized_keys: 1 }],
            ..SshReport::default()
        }
    }

    #[test]
    fn a_tight_door_has_nothing_to_look_at() {
        assert_eq!(findings(&tight()), Vec::<String>::new());
    }

    #[test]
    fn each_gap_is_named() {
        let gaps = [
            (SshReport { empty_passwords: true, ..tight() }, "PermitEmptyPasswords"),
            (SshReport { permit_root_login: "yes".into(), ..tight() }, "root may log in with a key"),
            (
                SshReport { permit_root_login: "yes".into(), password_authentication: true, ..tight() },
                "root may log in with a password",
            ),
            (SshReport { password_authentication: true, ..tight() }, "PasswordAuthentication no"),
            (SshReport { keyboard_interactive: true, ..tight() }, "KbdInteractiveAuthentication"),
            (SshReport { public_keys: false, ..tight() }, "PubkeyAuthentication"),
            (SshReport { users: Vec::new(), ..tight() }, "nobody's key"),
            (SshReport { max_auth_tries: 20, ..tight() }, "MaxAuthTries"),
            (SshReport { effective: false, ..tight() }, "what its file says"),
        ];
        for (report, word) in gaps {
            let said = findings(&report);
            assert!(said.iter().any(|line| line.contains(word)), "{word}: {said:?}");
        }
    }
}
