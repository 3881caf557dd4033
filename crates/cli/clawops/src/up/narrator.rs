//! Tells whoever waits what happens, each line with the time since the start.

use crate::output::{Paint, paint};
use std::time::{Duration, Instant};

pub struct Narrator {
    began: Instant,
    silent: bool,
}

impl Narrator {
    pub fn new(silent: bool) -> Self {
        Self { began: Instant::now(), silent }
    }

    pub fn elapsed(&self) -> Duration {
        self.began.elapsed()
    }

    pub fn say(&self, line: impl AsRef<str>) {
        if !self.silent {
            let at = format!("[{:>5.1} s]", self.elapsed().as_secs_f64());
            eprintln!("{} {}", paint(&at, Paint::Dim), line.as_ref());
        }
    }
}
