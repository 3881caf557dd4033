//! Ends the process of an instance from outside of its gf-clawnode: for the guard, when that one is dead or stands still.

use super::{Cgroups, Layout, Spec, process::signal_group};
use crate::instance::identify;
use rustix::process::Signal;
use std::{io, path::Path};

/// Ends what runs of this instance where it may have channels under a lease that can end. Says whether there was anything
/// to end.
pub fn end_at_once(instances: &Path, cgroups: &Cgroups, id: &str) -> io::Result<bool> {
    let spec = Spec::load(&Layout::new(instances, id))?;
    let serves = spec.lease.lapses() && !spec.standby && spec.may_have_channels();
    let process = spec.process.filter(|known| serves && identify(known.pid).as_ref() == Some(known));
    let Some(process) = process else { return Ok(false) };
    signal_group(process.pid, Signal::KILL);
    cgroups.group(id).kill(Some(process.pid))?;
    Ok(true)
}
