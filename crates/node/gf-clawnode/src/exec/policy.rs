//! Which argument lists are allowed. Everything that is not in the table is refused.
//!
//! A rule names a program and a pattern for each argument; all of them only look.

/// What one argument may be.
#[derive(Debug, Clone, Copy)]
enum Arg {
    Is(&'static str),
    OneOf(&'static [&'static str]),
    /// A number up to a limit.
    Number(u32),
    /// A name of letters, digits, `.`, `_`, `-` and `@` that does not begin with `-`.
    Name,
}

#[derive(Debug, Clone, Copy)]
struct Rule {
    program: &'static str,
    /// Where the program must lie: `PATH` is not asked.
    path: &'static str,
    args: &'static [Arg],
}

use Arg::{Is, Name, Number, OneOf};

const RULES: &[Rule] = &[
    rule("uptime", "/usr/bin/uptime", &[]),
    rule("uname", "/usr/bin/uname", &[Is("-a")]),
    rule("df", "/usr/bin/df", &[Is("-h")]),
    rule("free", "/usr/bin/free", &[OneOf(&["-h", "-m", "-b"])]),
    rule("nproc", "/usr/bin/nproc", &[]),
    rule("ps", "/usr/bin/ps", &[Is("-eo"), OneOf(&["pid,ppid,stat,rss,comm", "pid,pcpu,pmem,comm"])]),
    rule("ss", "/usr/bin/ss", &[OneOf(&["-ltn", "-tn", "-s"])]),
    rule(
        "systemctl",
        "/usr/bin/systemctl",
        &[OneOf(&["status", "is-active", "show"]), Is("--no-pager"), Name],
    ),
    rule("systemctl", "/usr/bin/systemctl", &[OneOf(&["list-units", "list-timers"]), Is("--no-pager")]),
    rule("journalctl", "/usr/bin/journalctl", &[Is("--no-pager"), Is("-u"), Name, Is("-n"), Number(1000)]),
    rule("docker", "/usr/bin/docker", &[Is("ps")]),
    rule("docker", "/usr/bin/docker", &[Is("logs"), Is("--tail"), Number(1000), Name]),
    rule("docker", "/usr/bin/docker", &[OneOf(&["stats"]), Is("--no-stream")]),
    rule("tailscale", "/usr/bin/tailscale", &[Is("status")]),
    rule("ufw", "/usr/sbin/ufw", &[Is("status")]),
];

const fn rule(program: &'static str, path: &'static str, args: &'static [Arg]) -> Rule {
    Rule { program, path, args }
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

/// The program's full path, if this argument list is allowed.
pub fn check(argv: &[String]) -> Result<&'static str, Refusal> {
    let (program, args) = argv.split_first().ok_or(Refusal::Empty)?;
    if let Some(bad) = argv.iter().find(|arg| arg.is_empty() || arg.chars().any(is_metacharacter)) {
        return Err(Refusal::Metacharacter(bad.clone()));
    }
    let of_program: Vec<&Rule> = RULES.iter().filter(|rule| rule.program == program).collect();
    if of_program.is_empty() {
        return Err(Refusal::Program(program.clone()));
    }
    let fits = of_program.iter().find(|rule| {
        rule.args.len() == args.len() && rule.args.iter().zip(args).all(|(pattern, arg)| pattern.takes(arg))
    });
    fits.map(|rule| rule.path).ok_or_else(|| Refusal::Arguments {
        program: program.clone(),
        allowed: of_program.iter().map(|rule| rule.shown()).collect::<Vec<_>>().join("; "),
    })
}

fn is_metacharacter(c: char) -> bool {
    c.is_control() || c.is_whitespace() || "|&;<>()$`\\\"'*?[]{}~#!".contains(c)
}

fn programs() -> String {
    let mut names: Vec<_> = RULES.iter().map(|rule| rule.program).collect();
    names.dedup();
    names.join(", ")
}

impl Arg {
    fn takes(&self, arg: &str) -> bool {
        match self {
            Is(word) => arg == *word,
            OneOf(words) => words.contains(&arg),
            Number(most) => arg.parse::<u32>().is_ok_and(|n| n <= *most),
            Name => {
                arg.len() <= 64
                    && !arg.starts_with('-')
                    && arg.chars().all(|c| c.is_ascii_alphanumeric() || "._-@".contains(c))
            }
        }
    }

    fn shown(&self) -> String {
        match self {
            Is(word) => (*word).to_owned(),
            OneOf(words) => words.join("|"),
            Number(most) => format!("<number up to {most}>"),
            Name => "<name>".to_owned(),
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

    fn checked(line: &str) -> Result<&'static str, Refusal> {
        check(&line.split(' ').map(str::to_owned).collect::<Vec<_>>())
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
