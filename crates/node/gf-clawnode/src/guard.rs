//! The guard: ends a gateway that outlives its lease because its gf-clawnode is dead or stands still.
//!
//! A small process of its own beside gf-clawnode, which tells it over its standard input until when each lease stands. It
//! outlives gf-clawnode, and leaves when it is told nothing any more and has nothing left to watch. It renews nothing,
//! closes nothing that does not serve under a lease, and ends nothing that gf-clawnode could still have closed in time.

use crate::{
    files,
    instance::{Cgroups, end_at_once},
    machine::since_boot,
};
use clap::Args;
use gf_model::lease::GUARD_AFTER;
use rustix::{
    event::{PollFd, PollFlags, poll},
    io::Errno,
    time::{
        Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec, timerfd_create,
        timerfd_settime,
    },
};
use std::{collections::BTreeMap, io, io::Write, os::fd::OwnedFd, path::PathBuf, time::Duration};

#[derive(Debug, Args)]
pub struct Options {
    /// The home of the gf-clawnode that this one stands beside.
    #[arg(long)]
    pub home: PathBuf,
    #[arg(long)]
    pub node: String,
}

/// One line of what gf-clawnode tells.
pub fn line(id: &str, until: Duration) -> String {
    format!("{} {id}\n", until.as_millis())
}

/// What is watched: by instance, when it is ended unless somebody says otherwise before.
#[derive(Debug, Default)]
struct Watched {
    ends: BTreeMap<String, Duration>,
    unread: String,
}

impl Watched {
    fn heard(&mut self, text: &str) {
        self.unread.push_str(text);
        while let Some((line, rest)) = self.unread.split_once('\n') {
            let told = line.split_once(' ').and_then(|(until, id)| Some((until.parse().ok()?, id)));
            if let Some((until, id)) = told {
                self.ends.insert(id.to_owned(), Duration::from_millis(until) + GUARD_AFTER);
            }
            self.unread = rest.to_owned();
        }
    }

    fn next(&self) -> Option<Duration> {
        self.ends.values().min().copied()
    }

    fn take_due(&mut self, now: Duration) -> Vec<String> {
        let due: Vec<_> = self.ends.iter().filter(|(_, at)| **at <= now).map(|(id, _)| id.clone()).collect();
        self.ends.retain(|_, at| *at > now);
        due
    }
}

/// Returns when there is nothing left to watch.
pub fn run(options: &Options) -> io::Result<()> {
    let stdin = io::stdin();
    // The clock goes on while the machine sleeps: what ended meanwhile is ended when it wakes.
    let timer = timerfd_create(TimerfdClockId::Boottime, TimerfdFlags::NONBLOCK | TimerfdFlags::CLOEXEC)?;
    let (mut watched, mut is_told) = (Watched::default(), true);
    while is_told || watched.next().is_some() {
        set(&timer, watched.next())?;
        let (from_stdin, on_time) = (PollFd::new(&stdin, PollFlags::IN), PollFd::new(&timer, PollFlags::IN));
        let mut waits = if is_told { vec![on_time, from_stdin] } else { vec![on_time] };
        match poll(&mut waits, None) {
            Ok(_) | Err(Errno::INTR) => {}
            Err(why) => return Err(why.into()),
        }
        if waits.get(1).is_some_and(|wait| !wait.revents().is_empty()) {
            let mut bytes = [0; 4096];
            match rustix::io::read(&stdin, &mut bytes) {
                Ok(0) => is_told = false,
                Ok(count) => watched.heard(&String::from_utf8_lossy(&bytes[..count])),
                Err(Errno::INTR | Errno::AGAIN) => {}
                Err(why) => return Err(why.into()),
            }
        }
        for id in watched.take_due(since_boot()) {
            let cgroups = Cgroups::discover(&options.node, &options.home);
            let note = match end_at_once(&options.home.join("instances"), &cgroups, &id) {
                Ok(false) => continue,
                Ok(true) => {
                    format!("{id} outlived its lease, and gf-clawnode did not close it: it was ended\n")
                }
                Err(why) => format!("{id} may have outlived its lease and could not be ended: {why}\n"),
            };
            if let Ok(mut log) = files::append_private(&options.home.join("guard.log")) {
                let _ = log.write_all(note.as_bytes());
            }
        }
    }
    Ok(())
}

/// Has the timer tell at this moment, or never.
fn set(timer: &OwnedFd, at: Option<Duration>) -> io::Result<()> {
    let none = Timespec { tv_sec: 0, tv_nsec: 0 };
    // A moment of zero would switch it off.
    let at = at.map_or(Ok(none), |at| Timespec::try_from(at.max(Duration::from_nanos(1))));
    let at = at.map_err(io::Error::other)?;
    let when = Itimerspec { it_interval: none, it_value: at };
    timerfd_settime(timer, TimerfdTimerFlags::ABSTIME, &when)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_renewed_is_due_once_and_a_torn_line_is_waited_for() {
        let mut watched = Watched::default();
        let told = line("i-a", Duration::from_secs(30)) + &line("i-b", Duration::from_secs(90));
        let (first, second) = told.split_at(9);
        watched.heard(first);
        watched.heard(second);
        let ends = |seconds| Duration::from_secs(seconds) + GUARD_AFTER;
        assert_eq!(watched.next(), Some(ends(30)));
        watched.heard(&line("i-a", Duration::from_secs(60)));
        assert!(watched.take_due(ends(59)).is_empty());
        assert_eq!(watched.take_due(ends(60)), ["i-a"]);
        assert!(watched.take_due(ends(61)).is_empty(), "it was ended already");
        assert_eq!(watched.next(), Some(ends(90)));
    }
}
