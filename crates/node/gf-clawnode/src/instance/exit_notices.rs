//! The kernel's early word that a process is ending.
//!
//! A pidfd tells of an end only after the memory was given back, 100 ms and more for a gateway of 0.8 GB. Taskstats tell
//! when the last thread begins to end, but only where this process may listen (`CAP_NET_ADMIN`). So this only hastens
//! what a pidfd tells anyway, and nothing may depend on it.

use crate::instance::{
    pidfd,
    process::Exit,
    taskstats::{self, Ending},
};
use parking_lot::Mutex;
use rustix::net::{
    AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType, netlink, recv, send, socket_with, sockopt,
};
use std::{collections::HashMap, fs, io, os::fd::OwnedFd, sync::Arc};
use tokio::{io::unix::AsyncFd, sync::oneshot};

/// Many processes of a busy machine may end between two looks.
const RECEIVE_BUFFER: usize = 512 * 1024;
const LARGEST_DATAGRAM: usize = 16 * 1024;

type Awaited = Arc<Mutex<HashMap<u32, oneshot::Sender<Exit>>>>;

#[derive(Debug, Default)]
pub struct ExitNotices {
    awaited: Awaited,
}

impl ExitNotices {
    /// Begins to listen, where that is allowed.
    pub fn listen() -> Self {
        let notices = Self::default();
        match subscribe() {
            Ok(socket) => {
                tokio::spawn(tell(socket, Arc::clone(&notices.awaited)));
            }
            Err(why) => tracing::info!(%why, "ends are noticed through pidfds alone"),
        }
        notices
    }

    /// Resolves when the process begins to end; fails where that will not be told.
    pub fn of(&self, pid: u32) -> oneshot::Receiver<Exit> {
        let (tell, told) = oneshot::channel();
        let mut awaited = self.awaited.lock();
        awaited.retain(|_, waiting| !waiting.is_closed());
        awaited.insert(pid, tell);
        told
    }
}

fn subscribe() -> io::Result<AsyncFd<OwnedFd>> {
    let socket = socket_with(
        AddressFamily::NETLINK,
        SocketType::RAW,
        SocketFlags::CLOEXEC | SocketFlags::NONBLOCK,
        Some(netlink::GENERIC),
    )?;
    sockopt::set_socket_recv_buffer_size(&socket, RECEIVE_BUFFER)?;
    let unexpected = || io::Error::other("the kernel does not tell of ends");
    // The kernel answers before a send returns.
    let ask = |question: &[u8]| -> io::Result<Vec<u8>> {
        send(&socket, question, SendFlags::empty())?;
        let mut answer = vec![0; LARGEST_DATAGRAM];
        let (_, length) = recv(&socket, &mut *answer, RecvFlags::empty())?;
        answer.truncate(length);
        Ok(answer)
    };
    let family = taskstats::family(&ask(&taskstats::ask_family())?).ok_or_else(unexpected)?;
    let cores = fs::read_to_string("/sys/devices/system/cpu/possible")?;
    let answer = ask(&taskstats::register(family, cores.trim()))?;
    match taskstats::acknowledged(&answer).ok_or_else(unexpected)? {
        0 => pidfd::watched(socket),
        code => Err(io::Error::from_raw_os_error(code)),
    }
}

async fn tell(socket: AsyncFd<OwnedFd>, awaited: Awaited) {
    let mut datagram = vec![0; LARGEST_DATAGRAM];
    while let Ok(mut ready) = socket.readable().await {
        // Where too much came at once some is lost, and those ends are told by their pidfds.
        let received = ready.try_io(|fd| {
            let (_, length) = recv(fd.get_ref(), &mut *datagram, RecvFlags::empty())?;
            Ok(length)
        });
        let Ok(Ok(length)) = received else { continue };
        for Ending { pid, exit } in taskstats::endings(&datagram[..length]) {
            if let Some(waiting) = awaited.lock().remove(&pid) {
                let _ = waiting.send(exit);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::instance::process::Process;
    use rustix::process::Signal;
    use std::{
        os::unix::process::CommandExt,
        process::{Command, Stdio},
    };

    const ONLY_WAIT: &str = "CLAWOPS_TEST_ONLY_WAIT";

    /// This test program itself once more, which then only waits. It has several threads, as every OpenClaw has: only of
    /// such a process the last thread tells.
    fn threaded() -> Process {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args([
            "--exact",
            "instance::exit_notices::tests::an_end_is_told_with_its_signal_where_the_kernel_lets_us_listen",
        ]);
        command.env(ONLY_WAIT, "1").stdout(Stdio::null()).process_group(0);
        let process = Process::start(&mut command).unwrap();
        let threads = format!("/proc/{}/task", process.id().pid);
        while fs::read_dir(&threads).unwrap().count() < 2 {
            std::thread::yield_now();
        }
        process
    }

    #[tokio::test]
    async fn an_end_is_told_with_its_signal_where_the_kernel_lets_us_listen() {
        if std::env::var_os(ONLY_WAIT).is_some() {
            return std::future::pending().await;
        }
        let notices = ExitNotices::listen();
        let process = threaded();
        let told = notices.of(process.id().pid);
        process.signal(Signal::KILL);
        let killed = Exit { code: None, signal: Some(9) };
        assert_eq!(process.ended().await, killed);
        match subscribe() {
            Ok(_) => assert_eq!(told.await, Ok(killed)),
            Err(_) => assert!(notices.awaited.lock().contains_key(&process.id().pid), "told by nobody"),
        }
    }
}
