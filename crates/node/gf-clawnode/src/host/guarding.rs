//! Keeps the guard that closes what this process cannot close any more ([`crate::guard`]), and tells it until when each
//! lease stands. There is one only once there is a lease that can end.

use crate::{
    files,
    guard::line,
    instance::{ProcessId, end_if_same, identify},
};
use parking_lot::Mutex;
use rustix::fs::{OFlags, fcntl_setfl};
use std::{
    collections::BTreeMap,
    fs,
    io::{self, Write},
    os::unix::process::CommandExt,
    path::PathBuf,
    process::{Child, ChildStdin, Command, Stdio},
    time::Duration,
};

pub struct Guard {
    home: PathBuf,
    node: String,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    running: Option<(Child, ChildStdin)>,
    told: BTreeMap<String, Duration>,
}

impl Guard {
    pub fn of(home: PathBuf, node: String) -> Self {
        Self { home, node, state: Mutex::default() }
    }

    /// Returns once it knows: from then on the instance does not outlive this moment by much, whatever becomes of us.
    pub fn tell(&self, id: &str, until: Duration) -> io::Result<()> {
        let mut state = self.state.lock();
        state.told.insert(id.to_owned(), until);
        // It is dead, or does not read: it is replaced.
        let told = state.running.as_mut().is_some_and(|(_, pipe)| write(pipe, id, until).is_ok());
        if told { Ok(()) } else { self.replace(&mut state) }
    }

    fn replace(&self, state: &mut State) -> io::Result<()> {
        if let Some((mut child, _)) = state.running.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
        let file = self.home.join("guard.json");
        let earlier = fs::read(&file).ok().and_then(|text| serde_json::from_slice::<ProcessId>(&text).ok());
        // The program that runs, even where its file has been replaced since.
        let mut child = Command::new("/proc/self/exe")
            .arg0("gf-clawnode")
            .args(["guard", "--node", &self.node, "--home"])
            .arg(&self.home)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            // What is sent to our group is not meant for it.
            .process_group(0)
            .spawn()?;
        let pipe = child.stdin.take().ok_or_else(|| io::Error::other("the guard has no standard input"));
        let ready = pipe.and_then(|mut pipe| {
            fcntl_setfl(&pipe, OFlags::NONBLOCK)?;
            state.told.iter().try_for_each(|(id, until)| write(&mut pipe, id, *until))?;
            let it = identify(child.id()).ok_or_else(|| io::Error::other("the guard ended at once"))?;
            files::write_private(&file, &serde_json::to_vec(&it)?)?;
            Ok(pipe)
        });
        match ready {
            Ok(pipe) => state.running = Some((child, pipe)),
            Err(why) => {
                let _ = child.kill();
                let _ = child.wait();
                return Err(why);
            }
        }
        // The one that an earlier gf-clawnode left knows of no renewal since.
        if let Some(earlier) = earlier {
            end_if_same(&earlier);
        }
        Ok(())
    }
}

/// In one piece or not at all: a line is shorter than what a pipe takes at once.
fn write(pipe: &mut ChildStdin, id: &str, until: Duration) -> io::Result<()> {
    pipe.write_all(line(id, until).as_bytes())
}
