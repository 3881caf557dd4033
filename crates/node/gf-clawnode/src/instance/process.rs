//! One operating-system process: started or adopted, its end noticed at once through a pidfd.
//!
//! An adopted process is not a child: how it ended is known only if its parent was not there first.

use crate::{
    instance::{pidfd, spec::ProcessId},
    machine,
};
use parking_lot::Mutex;
use rustix::process::{
    Pid, Signal, WaitOptions, kill_process, kill_process_group, pidfd_send_signal, waitpid,
};
use std::{
    fs, io,
    os::{fd::OwnedFd, unix::process::ExitStatusExt},
    process::{Child, Command},
};
use tokio::io::unix::AsyncFd;

pub struct Process {
    id: ProcessId,
    pidfd: AsyncFd<OwnedFd>,
    child: Mutex<Option<Child>>,
}

/// How a process ended, as far as it can be known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Exit {
    pub code: Option<i32>,
    pub signal: Option<i32>,
}

impl Exit {
    /// From the status word that the kernel keeps of a process that ended.
    pub fn from_status(status: i32) -> Self {
        match status & 0x7f {
            0 => Self { code: Some((status >> 8) & 0xff), signal: None },
            signal => Self { code: None, signal: Some(signal) },
        }
    }
}

impl Process {
    /// Starts a command; it must have been given a process group of its own.
    pub fn start(command: &mut Command) -> io::Result<Self> {
        let child = command.spawn()?;
        let id =
            identify(child.id()).ok_or_else(|| io::Error::other("the process ended before it could be seen"));
        let pidfd = pidfd::open(child.id());
        match (id, pidfd) {
            (Ok(id), Ok(pidfd)) => Ok(Self { id, pidfd, child: Mutex::new(Some(child)) }),
            (Err(why), _) | (_, Err(why)) => {
                let mut child = child;
                let _ = child.kill();
                let _ = child.wait();
                Err(why)
            }
        }
    }

    /// Takes over a process that an earlier gf-clawnode started, if it is still that one.
    pub fn adopt(id: &ProcessId) -> io::Result<Option<Self>> {
        let pidfd = match pidfd::open(id.pid) {
            Ok(pidfd) => pidfd,
            Err(why) if why.raw_os_error() == Some(rustix::io::Errno::SRCH.raw_os_error()) => {
                return Ok(None);
            }
            Err(why) => return Err(why),
        };
        // Checked after opening: the pidfd cannot come to mean another process any more.
        let same = identify(id.pid).is_some_and(|now| now == *id) && !is_zombie(id.pid);
        Ok(same.then(|| Self { id: id.clone(), pidfd, child: Mutex::new(None) }))
    }

    pub fn id(&self) -> &ProcessId {
        &self.id
    }

    /// Resolves when the process has ended.
    pub async fn ended(&self) -> Exit {
        // A pidfd becomes readable once, for good; an error means that it can never be awaited, hence ended.
        let _ = self.pidfd.readable().await;
        match self.child.lock().as_mut().map(Child::wait) {
            Some(Ok(status)) => Exit { code: status.code(), signal: status.signal() },
            // Its parent may have taken the status away already; the parent is this process where it became another program.
            _ => {
                let exit = status_of_dead(self.id.pid);
                reap(self.id.pid);
                exit
            }
        }
    }

    pub fn signal(&self, signal: Signal) {
        let _ = pidfd_send_signal(self.pidfd.get_ref(), signal);
    }

    /// The process and everything it started that stayed in its group.
    pub fn signal_group(&self, signal: Signal) {
        signal_group(self.id.pid, signal);
    }
}

/// Signals a process group whose leader may be gone already.
pub fn signal_group(leader: u32, signal: Signal) {
    if let Some(group) = i32::try_from(leader).ok().and_then(Pid::from_raw) {
        let _ = kill_process_group(group, signal);
    }
}

/// How a process ended that nobody has waited for yet, from the status that the kernel keeps until then.
fn status_of_dead(pid: u32) -> Exit {
    let status = stat_field(pid, 52).and_then(|field| field.trim().parse::<i32>().ok());
    status.filter(|_| is_zombie(pid)).map_or_else(Exit::default, Exit::from_status)
}

/// The process with this number now.
pub fn identify(pid: u32) -> Option<ProcessId> {
    Some(ProcessId { pid, started: stat_field(pid, 22)?.parse().ok()?, boot: machine::boot_id() })
}

/// Ends a process unless its number has come to mean another one.
pub fn end_if_same(id: &ProcessId) {
    if identify(id.pid).as_ref() == Some(id)
        && let Some(pid) = i32::try_from(id.pid).ok().and_then(Pid::from_raw)
    {
        let _ = kill_process(pid, Signal::KILL);
    }
}

/// Lets a process that has ended go, where it is a child of this one: it may be the child of the program that this process
/// was before an update.
pub fn reap(pid: u32) {
    if let Some(pid) = i32::try_from(pid).ok().and_then(Pid::from_raw) {
        let _ = waitpid(Some(pid), WaitOptions::NOHANG);
    }
}

fn is_zombie(pid: u32) -> bool {
    stat_field(pid, 3).is_none_or(|state| state == "Z" || state == "X")
}

/// A field of `/proc/<pid>/stat`, counted from one as in its manual page.
fn stat_field(pid: u32, number: usize) -> Option<String> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The second field is the program's name in parentheses and may hold anything.
    let rest = &stat[stat.rfind(')')? + 2..];
    rest.split(' ').nth(number.checked_sub(3)?).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::process::CommandExt;

    fn sleeper() -> Command {
        let mut command = Command::new("sleep");
        command.arg("1000").process_group(0);
        command
    }

    #[tokio::test]
    async fn an_end_is_noticed_with_its_signal() {
        let process = Process::start(&mut sleeper()).unwrap();
        process.signal(Signal::KILL);
        assert_eq!(process.ended().await, Exit { code: None, signal: Some(9) });
    }

    #[tokio::test]
    async fn a_process_is_adopted_by_number_and_start_time() {
        let mut child = sleeper().spawn().unwrap();
        let id = identify(child.id()).unwrap();
        let adopted = Process::adopt(&id).unwrap().unwrap();
        let other = ProcessId { started: id.started + 1, ..id.clone() };
        assert!(Process::adopt(&other).unwrap().is_none(), "another process was taken for it");

        child.kill().unwrap();
        assert_eq!(adopted.ended().await, Exit { code: None, signal: Some(9) });
        assert_eq!(adopted.ended().await, Exit::default(), "nobody can see it any more");
        assert!(
            child.wait().is_err(),
            "a child that this process adopted from its earlier self stays behind"
        );
        assert!(Process::adopt(&id).unwrap().is_none());
    }

    #[tokio::test]
    async fn a_program_that_is_not_there_is_an_error() {
        assert!(Process::start(&mut Command::new("/nonexistent/program")).is_err());
    }
}
