//! What this machine is and how busy it is, read from `/proc`.

use gf_node_proto::{MachineInfo, Resources};
use rustix::time::{ClockId, clock_gettime};
use std::{
    collections::VecDeque,
    fs,
    path::Path,
    time::{Duration, Instant},
};

/// How long the processor must have been watched before its load is judged.
const WINDOW: Duration = Duration::from_secs(300);
/// Readings closer together than this add nothing to a window of minutes.
const SPACING: Duration = Duration::from_secs(5);

/// Remembers the last reading, since a share of the CPU is a difference of two.
#[derive(Debug, Default)]
pub struct Meter {
    last: Option<CpuTimes>,
    window: Window,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct CpuTimes {
    busy: u64,
    total: u64,
}

impl Meter {
    /// The machine now; `disk` is where the instances lie.
    pub fn read(&mut self, disk: &Path) -> Resources {
        let memory = fs::read_to_string("/proc/meminfo").unwrap_or_default();
        let kib = |key: &str| meminfo(&memory, key).unwrap_or(0) * 1024;
        let (disk_total_bytes, disk_available_bytes) = disk_space(disk);
        let times = fs::read_to_string("/proc/stat").ok().as_deref().and_then(cpu_times);
        let cpu_permille = match (self.last, times) {
            (Some(before), Some(now)) => share(before, now),
            _ => 0,
        };
        self.last = times;
        let cpu_permille_5m = times.and_then(|times| self.window.take(Instant::now(), times));
        Resources {
            cpu_count: cpu_count(),
            cpu_permille,
            memory_total_bytes: kib("MemTotal"),
            memory_available_bytes: kib("MemAvailable"),
            disk_total_bytes,
            disk_available_bytes,
            load_centi: fs::read_to_string("/proc/loadavg").map(|text| loads(&text)).unwrap_or_default(),
            uptime_s: fs::read_to_string("/proc/uptime").ok().as_deref().and_then(uptime).unwrap_or(0),
            cpu_permille_5m,
        }
    }
}

/// Readings of the last five minutes, oldest first. Readings count upwards, so that a gap between two of them
/// (while nobody measured) still gives the right share.
#[derive(Debug, Default)]
struct Window {
    readings: VecDeque<(Instant, CpuTimes)>,
}

impl Window {
    /// Takes a reading in; the share of the CPU since the window began, once it is whole.
    fn take(&mut self, now: Instant, times: CpuTimes) -> Option<u32> {
        let old_enough = |at: Instant| now.duration_since(at) >= WINDOW;
        // The newest reading that is old enough is where the window begins.
        while self.readings.get(1).is_some_and(|(at, _)| old_enough(*at)) {
            self.readings.pop_front();
        }
        let spaced = self.readings.back().is_none_or(|(at, _)| now.duration_since(*at) >= SPACING);
        if spaced {
            self.readings.push_back((now, times));
        }
        let (at, before) = self.readings.front()?;
        old_enough(*at).then(|| share(*before, times))
    }
}

/// What the machine is; versions of what it runs are added by who knows them.
pub fn info() -> MachineInfo {
    let system = rustix::system::uname();
    let text = |part: &std::ffi::CStr| part.to_string_lossy().into_owned();
    let memory = fs::read_to_string("/proc/meminfo").unwrap_or_default();
    MachineInfo {
        hostname: text(system.nodename()),
        os: fs::read_to_string("/etc/os-release").ok().as_deref().and_then(pretty_name).unwrap_or_default(),
        kernel: text(system.release()),
        // Of this build; a host says the one by which it was released.
        software_version: env!("CARGO_PKG_VERSION").to_owned(),
        cpu_count: cpu_count(),
        memory_total_bytes: meminfo(&memory, "MemTotal").unwrap_or(0) * 1024,
        ..MachineInfo::default()
    }
}

/// Resident memory of a process; 0 where it is gone.
pub fn resident_bytes(pid: u32) -> u64 {
    let pages = fs::read_to_string(format!("/proc/{pid}/statm")).ok();
    let pages = pages.as_deref().and_then(|text| text.split(' ').nth(1)?.parse::<u64>().ok());
    pages.unwrap_or(0) * rustix::param::page_size() as u64
}

fn cpu_count() -> u32 {
    std::thread::available_parallelism().map_or(1, |n| u32::try_from(n.get()).unwrap_or(u32::MAX))
}

fn disk_space(path: &Path) -> (u64, u64) {
    rustix::fs::statvfs(path).map_or((0, 0), |fs| (fs.f_blocks * fs.f_frsize, fs.f_bavail * fs.f_frsize))
}

fn meminfo(text: &str, key: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix(':'))?;
    line.split_whitespace().next()?.parse().ok()
}

fn cpu_times(stat: &str) -> Option<CpuTimes> {
    let fields: Vec<u64> =
        stat.lines().next()?.split_whitespace().skip(1).filter_map(|n| n.parse().ok()).collect();
    let total: u64 = fields.iter().take(8).sum();
    let idle = fields.get(3)? + fields.get(4)?;
    Some(CpuTimes { busy: total.saturating_sub(idle), total })
}

fn share(before: CpuTimes, now: CpuTimes) -> u32 {
    let total = now.total.saturating_sub(before.total);
    let busy = now.busy.saturating_sub(before.busy);
    (busy * 1000).checked_div(total).map_or(0, |permille| permille.min(1000) as u32)
}

fn loads(text: &str) -> Vec<u32> {
    text.split(' ')
        .take(3)
        .filter_map(|load| load.parse::<f64>().ok())
        .map(|load| (load * 100.0) as u32)
        .collect()
}

/// The clock that leases go by: it never jumps, and goes on while the machine sleeps.
pub fn since_boot() -> Duration {
    let now = clock_gettime(ClockId::Boottime);
    let seconds = u64::try_from(now.tv_sec).unwrap_or_default();
    Duration::new(seconds, u32::try_from(now.tv_nsec).unwrap_or_default())
}

/// Another one after each start of the machine.
pub fn boot_id() -> String {
    fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default().trim().to_owned()
}

fn uptime(text: &str) -> Option<u64> {
    text.split(['.', ' ']).next()?.parse().ok()
}

fn pretty_name(os_release: &str) -> Option<String> {
    let value = os_release.lines().find_map(|line| line.strip_prefix("PRETTY_NAME="))?;
    Some(value.trim_matches('"').to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernels_texts_are_understood() {
        assert_eq!(meminfo("MemTotal:       100 kB\nMemAvailable:  40 kB\n", "MemAvailable"), Some(40));
        let before = cpu_times("cpu  10 0 10 80 0 0 0 0 0 0\n").unwrap();
        let now = cpu_times("cpu  40 0 20 130 10 0 0 0 0 0\n").unwrap();
        assert_eq!(share(before, now), 400);
        assert_eq!(share(now, now), 0);
        assert_eq!(loads("0.42 1.00 13.5 1/100 5"), [42, 100, 1350]);
        assert_eq!(uptime("1234.56 99.1"), Some(1234));
        assert_eq!(pretty_name("ID=x\nPRETTY_NAME=\"Debian 12\"\n").as_deref(), Some("Debian 12"));
    }

    #[test]
    fn five_minutes_are_judged_only_when_they_were_watched() {
        let (mut window, begin) = (Window::default(), Instant::now());
        // Idle for two minutes, then busy.
        let at = |seconds: u64| CpuTimes { busy: seconds.saturating_sub(120), total: seconds };
        for seconds in (0..300).step_by(10) {
            assert_eq!(window.take(begin + Duration::from_secs(seconds), at(seconds)), None, "{seconds} s");
        }
        assert_eq!(window.take(begin + Duration::from_secs(300), at(300)), Some(600));
        assert_eq!(window.take(begin + Duration::from_secs(420), at(420)), Some(1000));
        assert!(window.readings.len() < 70, "{} readings are kept", window.readings.len());
        // After an hour without a reading the whole hour is the window.
        assert_eq!(window.take(begin + Duration::from_secs(4020), at(4020)), Some(1000));
    }

    #[test]
    fn this_machine_can_be_read() {
        let mut meter = Meter::default();
        let now = meter.read(Path::new("/"));
        assert!(now.memory_total_bytes > 0 && now.disk_total_bytes > 0 && now.cpu_count > 0);
        assert!(resident_bytes(std::process::id()) > 0);
    }
}
