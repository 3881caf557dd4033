//! Which argument lists are allowed. Everything that is not in a table is refused.
//!
//! A rule names a program and a pattern for each argument. What an operator may ask for only looks; what the node's
//! own commands run is a second, shorter table.

/// What one argument may be.
#[derive(Debug, Clone, Copy)]
enum Arg {
    Is(&'static str),
    OneOf(&'static [&'static str]),
    /// A number up to a limit.
    Number(u32),
    /// A name of letters, digits, `.`, `_`, `-` and `@` that does not begin with `-`.
    Name,
    /// An image: a name that may also hold `/` and `:`.
    Image,
}

#[derive(Debug, Clone, Copy)]
struct Rule {
    program: &'static str,
    args: &'static [Arg],
}

use Arg::{Image, Is, Name, Number, OneOf};

/// What an operator may have run.
const LOOKING: &[Rule] = &[
    rule("uptime", &[]),
    rule("uname", &[Is("-a")]),
    rule("df", &[Is("-h")]),
    rule("free", &[OneOf(&["-h", "-m", "-b"])]),
    rule("nproc", &[]),
    rule("ps", &[Is("-eo"), OneOf(&["pid,ppid,stat,rss,comm", "pid,pcpu,pmem,comm"])]),
    rule("ss", &[OneOf(&["-ltn", "-tn", "-s"])]),
    rule("systemctl", &[OneOf(&["status", "is-active", "show"]), Is("--no-pager"), Name]),
    rule("systemctl", &[OneOf(&["list-units", "list-timers"]), Is("--no-pager")]),
    rule("journalctl", &[Is("--no-pager"), Is("-u"), Name, Is("-n"), Number(1000)]),
    rule("docker", &[Is("ps")]),
    rule("docker", &[Is("logs"), Is("--tail"), Number(1000), Name]),
    rule("docker", &[OneOf(&["stats"]), Is("--no-stream")]),
    rule("tailscale", &[Is("status")]),
    rule("ufw", &[Is("status")]),
];

/// What the node's own commands run. Nothing else is started, whatever the code around it believes.
const OWN: &[Rule] = &[
    rule("docker", &[Is("ps"), Is("--all"), Is("--no-trunc"), Is("--format"), Is(DOCKER_ROW)]),
    rule("docker", &[Is("restart"), Name]),
    rule("docker", &[Is("pull"), Image]),
    rule("docker", &[Is("logs"), Is("--tail"), Number(1000), Name]),
    rule("ufw", &[Is("status"), Is("verbose")]),
    rule("nft", &[Is("list"), Is("ruleset")]),
    rule("iptables", &[Is("-S")]),
    rule("tailscale", &[Is("status"), Is("--json")]),
    rule("sshd", &[Is("-T")]),
    rule("systemctl", &[Is("reboot")]),
];

/// One JSON object a container.
pub(super) const DOCKER_ROW: &str = "{{json .}}";

const fn rule(program: &'static str, args: &'static [Arg]) -> Rule {
    Rule { program, args }
}

/// Why an argument list was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    #[error("no program was named")]
    Empty,
    #[error("{0:?} holds a character that only a shell needs; there is no shell here")]
    Metacharacter(String),
    #[error("{0:?} is not on the list; allowed are {programs}", programs = programs())]
    Program(String),
    #[error("{program} may only be called as: {allowed}")]
    Arguments { program: String, allowed: String },
}

/// Whether an operator may have this argument list run.
pub fn check(argv: &[String]) -> Result<(), Refusal> {
    if let Some(bad) = argv.iter().find(|arg| arg.is_empty() || arg.chars().any(is_metacharacter)) {
        return Err(Refusal::Metacharacter(bad.clone()));
    }
    fits(LOOKING, argv)
}

/// Whether one of the node's own commands may run this argument list.
pub(super) fn check_own(argv: &[String]) -> Result<(), Refusal> {
    fits(OWN, argv)
}

fn fits(rules: &[Rule], argv: &[String]) -> Result<(), Refusal> {
    let (program, args) = argv.split_first().ok_or(Refusal::Empty)?;
    let of_program: Vec<&Rule> = rules.iter().filter(|rule| rule.program == program).collect();
    if of_program.is_empty() {
        return Err(Refusal::Program(program.clone()));
    }
    let fits = of_program.iter().find(|rule| {
        rule.args.len() == args.len() && rule.args.iter().zip(args).all(|(pattern, arg)| pattern.takes(arg))
    });
    fits.map(drop).ok_or_else(|| Refusal::Arguments {
        program: program.clone(),
        allowed: of_program.iter().map(|rule| rule.shown()).collect::<Vec<_>>().join("; "),
    })
}

fn is_metacharacter(c: char) -> bool {
    c.is_control() || c.is_whitespace() || "|&;<>()$`\\\"'*?[]{}~#!".contains(c)
}

fn programs() -> String {
    let mut names: Vec<_> = LOOKING.iter().map(|rule| rule.program).collect();
    names.dedup();
    names.join(", ")
}

/// Letters, digits and a few marks, and no option in disguise.
fn is_word(arg: &str, longest: usize, marks: &str) -> bool {
    (1..=longest).contains(&arg.len())
        && !arg.starts_with('-')
        && arg.chars().all(|c| c.is_ascii_alphanumeric() || marks.contains(c))
}

impl Arg {
    fn takes(&self, arg: &str) -> bool {
        match self {
            Is(word) => arg == *word,
            OneOf(words) => words.contains(&arg),
            Number(most) => arg.parse::<u32>().is_ok_and(|n| n <= *most),
            Name => is_word(arg, 64, "._-@"),
            Image => is_word(arg, 255, "._-@/:"),
        }
    }

    fn shown(&self) -> String {
        match self {
            Is(word) => (*word).to_owned(),
            OneOf(words) => words.join("|"),
            Number(most) => format!("<number up to {most}>"),
            Name => "<name>".to_owned(),
            Image => "<image>".to_owned(),
        }
    }
}

impl Rule {
    fn shown(&self) -> String {
        let args = self.args.iter().map(Arg::shown);
        std::iter::once(self.program.to_owned()).chain(args).collect::<Vec<_>>().join(" ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(line: &str) -> Vec<String> {
        line.split(' ').map(str::to_owned).collect()
    }

    fn checked(line: &str) -> Result<(), Refusal> {
        check(&words(line))
    }

    #[test]
    fn looking_is_allowed() {
        for fine in [
            "uptime",
            "df -h",
            "docker ps",
            "docker logs --tail 100 openclaw-1",
            "systemctl status --no-pager docker",
            "journalctl --no-pager -u docker.service -n 200",
        ] {
            assert!(checked(fine).is_ok(), "{fine}: {:?}", checked(fine));
        }
    }

    #[test]
    fn changing_is_not() {
        for bad in [
            "docker run -v /:/h alpine",
            "docker logs --tail 100 --follow",
            "docker logs --tail 99999 x",
            "systemctl stop docker",
            "systemctl status --no-pager --now",
            "journalctl --no-pager -u -x -n 5",
            "bash -c id",
            "/usr/bin/uptime",
            "df -h /etc",
            "rm -rf x",
        ] {
            assert!(checked(bad).is_err(), "{bad} was allowed");
        }
        assert_eq!(check(&[]), Err(Refusal::Empty));
    }

    #[test]
    fn the_nodes_own_commands_have_a_table_of_their_own() {
        for fine in
            ["docker restart openclaw-1", "docker pull ghcr.io/a/b:1.2", "sshd -T", "systemctl reboot"]
        {
            assert_eq!(check_own(&words(fine)), Ok(()), "{fine}");
            assert!(checked(fine).is_err(), "an operator may run {fine}");
        }
        for bad in [
            "docker restart --time",
            "docker restart a b",
            "docker pull --all-tags",
            "docker pull a;b",
            "docker run alpine",
            "systemctl poweroff",
            "iptables -F",
            "nft flush ruleset",
        ] {
            assert!(check_own(&words(bad)).is_err(), "{bad} was allowed");
        }
    }

    #[test]
    fn every_metacharacter_is_refused_in_every_argument() {
        for c in "|&;<>()$`\\\"'*?[]{}~#!\n\t\0 ".chars() {
            let argv = [
                "docker".to_owned(),
                "logs".to_owned(),
                "--tail".to_owned(),
                "5".to_owned(),
                format!("a{c}b"),
            ];
            assert!(matches!(check(&argv), Err(Refusal::Metacharacter(_))), "{c:?} was allowed");
            assert!(check(&[format!("uptime{c}")]).is_err(), "{c:?} was allowed");
        }
    }

    #[test]
    fn a_refusal_says_what_would_be_right() {
        let why = checked("systemctl stop docker").unwrap_err().to_string();
        assert!(why.contains("systemctl status|is-active|show --no-pager <name>"), "{why}");
    }
}
