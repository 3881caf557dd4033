//! A file descriptor that stands for a process and becomes readable when it ends. Nothing else lives here,
//! because registering a descriptor with the runtime is an unsafe call.
#![allow(unsafe_code)]

use rustix::process::{Pid, PidfdFlags, pidfd_open};
use std::{io, os::fd::OwnedFd};
use tokio::io::{Interest, unix::AsyncFd};

pub fn open(pid: u32) -> io::Result<AsyncFd<OwnedFd>> {
    let pid = i32::try_from(pid).ok().and_then(Pid::from_raw);
    let pid = pid.ok_or_else(|| io::Error::from(io::ErrorKind::InvalidInput))?;
    let pidfd = pidfd_open(pid, PidfdFlags::NONBLOCK)?;
    // SAFETY: the descriptor was opened just now, is owned by the `AsyncFd` for all of its life, and an
    // `OwnedFd` always names the same open descriptor.
    Ok(unsafe { AsyncFd::register_with_interest(pidfd, Interest::READABLE) }?)
}
