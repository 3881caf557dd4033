//! Which firewall is in force, and what it does with a packet that no rule names.
//!
//! ufw where it is active, since it writes the others' rules; else nftables, else iptables.

use super::{Programs, programs::missing};
use crate::host::{Failure, Outcome};
use gf_node_proto::FirewallReport;

/// So many rules tell enough; a long list is for a person at the machine.
const MOST_RULES: usize = 200;

type Read = fn(&str) -> FirewallReport;

impl Programs {
    pub async fn firewall_status(&self) -> Outcome<FirewallReport> {
        let mut seen: Option<FirewallReport> = None;
        let asked: [(&[&str], Read); 3] = [
            (&["ufw", "status", "verbose"], ufw),
            (&["nft", "list", "ruleset"], nftables),
            (&["iptables", "-S"], iptables),
        ];
        let mut refused: Option<Failure> = None;
        for (argv, read) in asked {
            if !self.has(argv[0]) {
                continue;
            }
            match self.ask(argv).await.map(|printed| read(&printed)) {
                Ok(report) if report.active => return Ok(report),
                Ok(report) => seen = seen.or(Some(report)),
                Err(why) => refused = refused.or(Some(why)),
            }
        }
        // "Off" is only said where nothing that is installed kept silent.
        match (refused, seen) {
            (Some(why), _) => Err(why),
            (None, Some(report)) => Ok(report),
            (None, None) => Err(missing("a firewall (ufw, nft or iptables)")),
        }
    }
}

fn ufw(printed: &str) -> FirewallReport {
    let after =
        |word: &str| printed.lines().find_map(|line| line.strip_prefix(word)).unwrap_or_default().trim();
    // Default: deny (incoming), allow (outgoing), disabled (routed)
    let default = |direction: &str| {
        let part = after("Default:").split(',').find(|part| part.contains(direction));
        part.and_then(|part| part.split_whitespace().next()).map(plain).unwrap_or_default()
    };
    let rows = printed.lines().skip_while(|line| !line.starts_with("--")).skip(1);
    FirewallReport {
        tool: "ufw".into(),
        active: after("Status:") == "active",
        incoming: default("incoming"),
        outgoing: default("outgoing"),
        rules: kept(rows.map(one_spaced)),
    }
}

fn nftables(printed: &str) -> FirewallReport {
    let mut chain = "";
    let mut report = FirewallReport { tool: "nftables".into(), ..FirewallReport::default() };
    let mut rules = Vec::new();
    for line in printed.lines().map(str::trim) {
        if let Some(name) = line.strip_prefix("chain ") {
            chain = name.trim_end_matches(" {");
        } else if let Some(kind) = line.strip_prefix("type ") {
            let hook = kind.split("hook ").nth(1).and_then(|rest| rest.split(' ').next()).unwrap_or_default();
            let policy = line.split("policy ").nth(1).map(|policy| plain(policy.trim_end_matches(';')));
            match (hook, policy) {
                ("input", Some(policy)) => stricter(&mut report.incoming, policy),
                ("output", Some(policy)) => stricter(&mut report.outgoing, policy),
                _ => {}
            }
        } else if !chain.is_empty() && !line.is_empty() && line != "}" {
            rules.push(format!("{chain}: {line}"));
        }
        if line == "}" {
            chain = "";
        }
    }
    report.active = !rules.is_empty() || report.incoming == "drop";
    report.rules = kept(rules.into_iter());
    report
}

fn iptables(printed: &str) -> FirewallReport {
    let policy = |chain: &str| {
        let of_chain = printed.lines().find_map(|line| line.strip_prefix("-P ")?.strip_prefix(chain));
        of_chain.map(|policy| plain(policy.trim())).unwrap_or_default()
    };
    let (incoming, outgoing) = (policy("INPUT"), policy("OUTPUT"));
    let rules = kept(printed.lines().filter(|line| line.starts_with("-A ")).map(str::to_owned));
    FirewallReport {
        tool: "iptables".into(),
        active: !rules.is_empty() || incoming == "drop",
        incoming,
        outgoing,
        rules,
    }
}

/// One word for what each tool calls otherwise.
fn plain(policy: &str) -> String {
    match policy.to_ascii_lowercase().as_str() {
        "allow" => "accept".to_owned(),
        "deny" => "drop".to_owned(),
        other => other.to_owned(),
    }
}

/// Of several chains at one hook, one that drops is enough.
fn stricter(known: &mut String, policy: String) {
    if known.is_empty() || policy == "drop" {
        *known = policy;
    }
}

fn one_spaced(line: &str) -> String {
    line.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn kept(rules: impl Iterator<Item = String>) -> Vec<String> {
    rules.filter(|rule| !rule.is_empty()).take(MOST_RULES).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exec::programs::stage;
    use gf_node_proto::FailureCode;

    #[tokio::test]
    async fn an_active_ufw_speaks_for_all() {
        let (dir, programs) = stage::empty();
        stage::recorded(&dir, "ufw", "status verbose", "ufw-active.txt");
        stage::recorded(&dir, "nft", "list ruleset", "nft.txt");
        let report = programs.firewall_status().await.unwrap();
        assert_eq!((report.tool.as_str(), report.active), ("ufw", true));
        assert_eq!((report.incoming.as_str(), report.outgoing.as_str()), ("drop", "accept"));
        assert_eq!(report.rules[..2], ["22/tcp ALLOW IN Anywhere", "443/tcp ALLOW IN 10.0.0.0/8"]);
    }

    #[tokio::test]
    async fn behind_an_inactive_ufw_the_rules_in_force_are_read() {
        let (dir, programs) = stage::empty();
        stage::recorded(&dir, "ufw", "status verbose", "ufw-inactive.txt");
        assert!(!programs.firewall_status().await.unwrap().active);
        stage::recorded(&dir, "nft", "list ruleset", "nft.txt");
        let report = programs.firewall_status().await.unwrap();
        assert_eq!((report.tool.as_str(), report.active), ("nftables", true));
        assert_eq!((report.incoming.as_str(), report.outgoing.as_str()), ("drop", "accept"));
        assert!(report.rules.contains(&"input: tcp dport { 22, 443 } accept".to_owned()), "{report:?}");
    }

    #[tokio::test]
    async fn iptables_are_read_where_there_is_nothing_else() {
        let (dir, programs) = stage::empty();
        stage::recorded(&dir, "iptables", "-S", "iptables.txt");
        let report = programs.firewall_status().await.unwrap();
        assert_eq!((report.tool.as_str(), report.active), ("iptables", true));
        assert_eq!((report.incoming.as_str(), report.outgoing.as_str()), ("drop", "accept"));
        assert_eq!(report.rules.len(), 2);
    }

    #[tokio::test]
    async fn no_firewall_and_one_that_may_not_be_asked_are_not_taken_for_off() {
        let (dir, programs) = stage::empty();
        assert_eq!(programs.firewall_status().await.unwrap_err().code(), FailureCode::NotInstalled);
        stage::recorded(&dir, "ufw", "status verbose", "ufw-inactive.txt");
        stage::install(&dir, "nft", "echo 'Operation not permitted (you must be root)' >&2; exit 1");
        let why = programs.firewall_status().await.unwrap_err();
        assert_eq!(why.code(), FailureCode::Program);
        assert!(why.0.message.contains("you must be root"), "{why}");
    }

    #[test]
    fn an_empty_ruleset_is_off() {
        assert!(!nftables("").active);
        assert!(!iptables("-P INPUT ACCEPT\n-P FORWARD ACCEPT\n-P OUTPUT ACCEPT\n").active);
    }
}
