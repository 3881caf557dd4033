//! What stands below each verb's help: lines that can be copied. A test parses every one of them, so that none is ever
//! out of date.

pub const ALL: &str = "\
Start with:
  clawops up
  clawops chat how is the fleet
  clawops provision --count 2 --tier standard --purpose 'beta users'
  clawops pairs

Exit codes: 0 done, 1 failed, 2 wrong command line, 3 refused by the control plane,
4 ClawOps is not running, 5 a person has to agree first or said no, 130 you left and the work goes on.";

pub const UP: &str = "\
Examples:
  clawops up
  clawops up --detach
  clawops up --detach --sim-pairs 847";

pub const DOWN: &str = "\
Examples:
  clawops down";

pub const STATUS: &str = "\
Examples:
  clawops status
  clawops status --json";

pub const CHAT: &str = "\
Examples:
  clawops chat
  clawops chat how is the fleet
  clawops chat provision 2 standard accounts for beta users";

pub const BRAIN: &str = "\
Examples:
  clawops brain --listen 127.0.0.1:9100";

pub const TOOLS: &str = "\
Examples:
  clawops tools
  clawops tools --json";

pub const FLEET: &str = "\
Examples:
  clawops fleet status
  clawops fleet status --provider hetzner";

pub const PAIRS: &str = "\
Examples:
  clawops pairs
  clawops pairs --json";

pub const INSTANCES: &str = "\
Examples:
  clawops instances
  clawops instances i-7f3a";

pub const PROVISION: &str = "\
Examples:
  clawops provision --count 2 --tier standard --purpose 'beta users'
  clawops provision --account acct-0100 --tier pro --primary hetzner --standby vultr

It shows the plan and its price and asks; nothing exists before your yes.";

pub const TEARDOWN: &str = "\
Examples:
  clawops teardown acct-0002
  clawops teardown acct-0002 acct-0003 --reason account_closed
  clawops teardown acct-0002 --standby-only";

pub const RESTORE: &str = "\
Examples:
  clawops restore acct-0002
  clawops restore acct-0002 --archive arch-6f6cf131";

pub const RESIZE: &str = "\
Examples:
  clawops resize acct-0001 acct-0002 --tier pro";

pub const PUSH: &str = "\
Examples:
  clawops push --patch '{\"logging\": {\"level\": \"debug\"}}' --dry-run
  clawops push --file patch.json --description 'more logging'
  clawops push acct-0001 --file patch.json --batch-size 1";

pub const ROLLBACK: &str = "\
Examples:
  clawops rollback
  clawops rollback op-91c2";

pub const RESTART: &str = "\
Examples:
  clawops restart i-7f3a
  clawops restart --state DEGRADED --reason 'stuck event loop'";

pub const FAILOVER: &str = "\
Examples:
  clawops failover acct-0001 --reason 'the host is going away'";

pub const OP: &str = "\
Examples:
  clawops op list --running
  clawops op watch op-91c2
  clawops op cancel op-91c2";

pub const APPROVALS: &str = "\
Examples:
  clawops approvals list
  clawops approvals approve A7K2
  clawops approvals deny A7K2
  clawops approvals changes A7K2 only the standby";

pub const FREEZE: &str = "\
Examples:
  clawops freeze
  clawops freeze --reason 'provider maintenance until noon'";

pub const THAW: &str = "\
Examples:
  clawops thaw";

pub const SUPPORT_BUNDLE: &str = "\
Examples:
  clawops support-bundle
  clawops support-bundle --to bundle.tar.gz";

pub const DEBUG: &str = "\
Examples:
  clawops debug
  clawops debug operations --limit 20
  clawops debug verify --json";

pub const SLA: &str = "\
Examples:
  clawops sla
  clawops sla --month 2026-10 --missed
  clawops sla --account acct-0001 --json";

pub const TRACE: &str = "\
Examples:
  clawops trace 4bf92f3577b34da6a3ce929d0e0e4736";

pub const NODES: &str = "\
Examples:
  clawops nodes
  clawops nodes update --to 0.2.0 --dry-run
  clawops nodes update --to 0.2.0 --rings 1,5,25";

pub const PIN: &str = "\
Examples:
  clawops pin acct-0001 --reason 'their launch is today'";

pub const UNPIN: &str = "\
Examples:
  clawops unpin acct-0001";

pub const WINDOW: &str = "\
Examples:
  clawops window acct-0001 02:00-04:00
  clawops window acct-0001 'sat,sun 01:00-05:00'
  clawops window acct-0001";

pub const AUDIT: &str = "\
Examples:
  clawops audit show --account acct-0001
  clawops audit verify";

pub const PEOPLE: &str = "\
Examples:
  clawops people add Ada --role approver
  clawops people identity person-ada telegram 777
  clawops people key person-ada
  clawops people signing-key
  clawops people trust person-ada 11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=";

pub const SECRETS: &str = "\
Examples:
  clawops secrets set acct-0001 openai
  clawops secrets list acct-0001";

pub const POLICY: &str = "\
Examples:
  clawops policy explain gf_teardown '{\"accountIds\": [\"acct-0001\"], \"reason\": \"idle\"}'
  clawops policy explain gf_provision '{\"count\": 2, \"tier\": \"standard\"}'
  clawops policy rules --to rules
  clawops policy test rules
  clawops policy apply rules";

pub const STORE: &str = "\
Examples:
  clawops store backup /var/backups/clawops/2026-11-21
  clawops store restore /var/backups/clawops/2026-11-21 --keys /media/safe/keys
  clawops store restore /var/backups/clawops/2026-11-21 --store postgres://clawops@127.0.0.1/empty
  clawops store accept-loss";

pub const ADOPT: &str = "\
Examples:
  clawops adopt
  clawops adopt --yes";

pub const PAGE: &str = "\
Examples:
  clawops page";

pub const COMPLETIONS: &str = "\
Examples:
  clawops completions bash
  clawops completions zsh";

#[cfg(test)]
mod tests {
    use crate::args::Cli;
    use clap::{CommandFactory, Parser};

    /// As a shell would: words, with single quotes.
    fn words(line: &str) -> Vec<String> {
        let mut words = vec![String::new()];
        let mut quoted = false;
        for c in line.chars() {
            match c {
                '\'' => quoted = !quoted,
                ' ' if !quoted => words.push(String::new()),
                c => words.last_mut().unwrap().push(c),
            }
        }
        words
    }

    #[test]
    fn every_verb_has_examples_and_all_of_them_are_command_lines() {
        let cli = Cli::command();
        let verbs = cli.get_subcommands().filter(|verb| verb.get_name() != "help");
        for verb in verbs.chain([&cli]) {
            let help = verb.get_after_help().map(ToString::to_string).unwrap_or_default();
            let examples: Vec<&str> = help
                .lines()
                .filter_map(|line| line.strip_prefix("  "))
                .filter(|line| line.starts_with("clawops "))
                .collect();
            assert!(!examples.is_empty(), "{} has no example", verb.get_name());
            for example in examples {
                let parsed = Cli::try_parse_from(words(example));
                assert!(parsed.is_ok(), "`{example}` is no command line: {}", parsed.unwrap_err());
            }
        }
    }

    #[test]
    fn every_flag_and_verb_says_what_it_is_for() {
        fn check(command: &clap::Command) {
            for argument in command.get_arguments() {
                let named = argument.is_positional()
                    && matches!(
                        argument.get_id().as_str(),
                        "id" | "code"
                            | "account"
                            | "name"
                            | "person"
                            | "channel"
                            | "sender"
                            | "first_name"
                            | "tool"
                            | "arguments"
                    );
                assert!(
                    named || argument.get_help().is_some(),
                    "{} of {} has no help",
                    argument.get_id(),
                    command.get_name()
                );
            }
            for verb in command.get_subcommands() {
                assert!(verb.get_about().is_some(), "{} has no help", verb.get_name());
                check(verb);
            }
        }
        Cli::command().debug_assert();
        check(&Cli::command());
    }
}
