//! What a process costs, read from the kernel; and processes of a measurement's own, so that one's memory is not another's.

use anyhow::{Context, Result, ensure};
use std::{
    io::{BufRead, BufReader, Write},
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
    time::Duration,
};

/// The first argument of a process that [`Role`] started; the group's name follows.
pub const ROLE: &str = "role";

/// Resident memory of this process, in bytes.
pub fn resident() -> Result<u64> {
    let statm = std::fs::read_to_string("/proc/self/statm")?;
    let pages: u64 = statm.split(' ').nth(1).context("statm has no second field")?.parse()?;
    Ok(pages * rustix::param::page_size() as u64)
}

/// Processor time of this process so far, all threads.
pub fn processor() -> Result<Duration> {
    let stat = std::fs::read_to_string("/proc/self/stat")?;
    // What stands before is the program's name, in parentheses.
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
    let ticks: u64 = fields
        .get(11..13)
        .context("stat is short")?
        .iter()
        .map(|it| it.parse::<u64>())
        .sum::<Result<_, _>>()?;
    Ok(Duration::from_secs_f64(ticks as f64 / rustix::param::clock_ticks_per_second() as f64))
}

/// This program in another role: a line is asked, a line is answered; it ends when nobody asks any more.
pub struct Role {
    child: Child,
    asks: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
    name: String,
}

impl Role {
    pub fn start(arguments: &[&str]) -> Result<Self> {
        let program = std::env::current_exe()?;
        let mut child = Command::new(program)
            .arg(ROLE)
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .with_context(|| format!("starting {arguments:?}"))?;
        let asks = child.stdin.take();
        let answers = BufReader::new(child.stdout.take().context("its output")?);
        Ok(Self { child, asks, answers, name: arguments.join(" ") })
    }

    /// The next line that it says.
    pub fn hear(&mut self) -> Result<String> {
        let mut line = String::new();
        let read = self.answers.read_line(&mut line)?;
        ensure!(read > 0, "`{}` ended without an answer", self.name);
        Ok(line.trim_end().to_owned())
    }

    pub fn ask(&mut self, question: &str) -> Result<String> {
        let asks = self.asks.as_mut().context("it is ending")?;
        writeln!(asks, "{question}")?;
        self.hear()
    }

    /// An answer that is one number.
    pub fn number(&mut self, question: &str) -> Result<f64> {
        let answer = self.ask(question)?;
        answer.parse().with_context(|| format!("`{}` said {answer:?} to {question:?}", self.name))
    }
}

impl Drop for Role {
    fn drop(&mut self) {
        drop(self.asks.take());
        let _ = self.child.wait();
    }
}
