//! Descriptors that become readable when a process ends: a pidfd, which stands for one, and whatever else tells. Nothing
//! else lives here, because registering a descriptor with the runtime is an unsafe call.
#![allow(unsafe_code)]

use rustix::process::{Pid, PidfdFlags, pidfd_open};
use std::{io, os::fd::OwnedFd};
use tokio::io::{Interest, unix::AsyncFd};

pub fn open(pid: u32) -> io::Result<AsyncFd<OwnedFd>> {
    let pid = i32::try_from(pid).ok().and_then(Pid::from_raw);
    let pid = pid.ok_or_else(|| io::Error::from(io::ErrorKind::InvalidInput))?;
    watched(pidfd_open(pid, PidfdFlags::NONBLOCK)?)
}

/// A descriptor whose becoming readable can be awaited.
pub fn watched(descriptor: OwnedFd) -> io::Result<AsyncFd<OwnedFd>> {
    // SAFETY: the descriptor is owned by the `AsyncFd` for all of its life, and an `OwnedFd` always names the same open
    // descriptor.
    Ok(unsafe { AsyncFd::register_with_interest(descriptor, Interest::READABLE) }?)
}
