//! The kernel's taskstats interface in bytes: what is asked, and which process an answer says to be ending.
//!
//! Only bytes in and out; the socket is elsewhere. What cannot be read is nobody's end.

use crate::instance::process::Exit;

const CONTROLLER: u16 = 16;
const REQUEST: u16 = 1;
const ACKNOWLEDGE: u16 = 4;
const HEADERS: usize = 20;
/// `CTRL_CMD_GETFAMILY`, its name and the number that answers it.
const GET_FAMILY: u8 = 3;
const FAMILY_NAME: u16 = 2;
const FAMILY_ID: u16 = 1;
/// `TASKSTATS_CMD_GET` and the cores whose ends are to be told.
const GET: u8 = 1;
const REGISTER_CPUS: u16 = 3;
const ERROR: u16 = 2;
/// A thread that ends with its statistics, and the process that it was the last thread of.
const OF_THREAD: u16 = 4;
const OF_PROCESS: u16 = 5;
const PROCESS_ID: u16 = 2;
const STATISTICS: u16 = 3;
/// Of `ac_exitcode` in `struct taskstats`.
const EXIT_CODE_AT: usize = 4;

/// A process whose last thread has begun to end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ending {
    pub pid: u32,
    pub exit: Exit,
}

/// Asks for the number of the interface.
pub fn ask_family() -> Vec<u8> {
    message(CONTROLLER, GET_FAMILY, FAMILY_NAME, b"TASKSTATS\0")
}

pub fn family(answer: &[u8]) -> Option<u16> {
    let id = attribute(messages(answer).next()?.1, FAMILY_ID)?;
    Some(u16::from_ne_bytes(id.get(..2)?.try_into().ok()?))
}

/// Asks to be told of every end on the given cores, such as `0-1`.
pub fn register(family: u16, cores: &str) -> Vec<u8> {
    message(family, GET, REGISTER_CPUS, format!("{cores}\0").as_bytes())
}

/// The error number in an acknowledgement; 0 is success.
pub fn acknowledged(answer: &[u8]) -> Option<i32> {
    let kind = u16::from_ne_bytes(answer.get(4..6)?.try_into().ok()?);
    let code = i32::from_ne_bytes(answer.get(16..20)?.try_into().ok()?);
    (kind == ERROR).then_some(-code)
}

/// The processes that a datagram says to be ending.
pub fn endings(datagram: &[u8]) -> impl Iterator<Item = Ending> {
    messages(datagram).filter(|(kind, _)| *kind != ERROR).filter_map(|(_, body)| {
        let pid = attribute(attribute(body, OF_PROCESS)?, PROCESS_ID)?;
        let statistics = attribute(attribute(body, OF_THREAD)?, STATISTICS)?;
        let code = statistics.get(EXIT_CODE_AT..EXIT_CODE_AT + 4)?;
        Some(Ending {
            pid: u32::from_ne_bytes(pid.get(..4)?.try_into().ok()?),
            exit: Exit::from_status(i32::from_ne_bytes(code.try_into().ok()?)),
        })
    })
}

fn message(kind: u16, command: u8, attribute: u16, value: &[u8]) -> Vec<u8> {
    let padded = value.len().next_multiple_of(4);
    let length = HEADERS + 4 + padded;
    let mut bytes = Vec::with_capacity(length);
    bytes.extend(u32::try_from(length).unwrap_or_default().to_ne_bytes());
    bytes.extend(kind.to_ne_bytes());
    bytes.extend((REQUEST | if kind == CONTROLLER { 0 } else { ACKNOWLEDGE }).to_ne_bytes());
    bytes.extend(1u32.to_ne_bytes());
    bytes.extend(0u32.to_ne_bytes());
    bytes.extend([command, 1, 0, 0]);
    bytes.extend(u16::try_from(4 + value.len()).unwrap_or_default().to_ne_bytes());
    bytes.extend(attribute.to_ne_bytes());
    bytes.extend(value);
    bytes.resize(length, 0);
    bytes
}

/// Each message's kind and attributes.
fn messages(mut rest: &[u8]) -> impl Iterator<Item = (u16, &[u8])> {
    std::iter::from_fn(move || {
        let length = u32::from_ne_bytes(rest.get(..4)?.try_into().ok()?) as usize;
        let kind = u16::from_ne_bytes(rest.get(4..6)?.try_into().ok()?);
        let body = rest.get(HEADERS..length)?;
        rest = rest.get(length.next_multiple_of(4)..).unwrap_or_default();
        Some((kind, body))
    })
}

fn attribute(mut rest: &[u8], wanted: u16) -> Option<&[u8]> {
    loop {
        let length = usize::from(u16::from_ne_bytes(rest.get(..2)?.try_into().ok()?));
        let kind = u16::from_ne_bytes(rest.get(2..4)?.try_into().ok()?);
        let value = rest.get(4..length)?;
        if kind == wanted {
            return Some(value);
        }
        rest = rest.get(length.next_multiple_of(4)..)?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn nested(kind: u16, value: &[u8]) -> Vec<u8> {
        let mut bytes = Vec::new();
        bytes.extend(u16::try_from(4 + value.len()).unwrap().to_ne_bytes());
        bytes.extend(kind.to_ne_bytes());
        bytes.extend(value);
        bytes.resize(bytes.len().next_multiple_of(4), 0);
        bytes
    }

    fn told(thread: u32, process: Option<u32>, status: i32) -> Vec<u8> {
        let mut statistics = vec![15, 0, 0, 0];
        statistics.extend(status.to_ne_bytes());
        statistics.resize(64, 0);
        let of =
            |id_kind, id: u32| [nested(id_kind, &id.to_ne_bytes()), nested(STATISTICS, &statistics)].concat();
        let mut body = nested(OF_THREAD, &of(1, thread));
        if let Some(process) = process {
            body.extend(nested(OF_PROCESS, &of(PROCESS_ID, process)));
        }
        let mut bytes = u32::try_from(HEADERS + body.len()).unwrap().to_ne_bytes().to_vec();
        bytes.extend(31u16.to_ne_bytes());
        bytes.resize(HEADERS, 0);
        bytes.extend(body);
        bytes
    }

    #[test]
    fn only_the_last_thread_tells_of_its_process_and_how_it_ends() {
        let datagram = [told(11, None, 9), told(10, Some(10), 9), told(12, Some(12), 3 << 8)].concat();
        let seen: Vec<_> = endings(&datagram).collect();
        let killed = Exit { code: None, signal: Some(9) };
        let failed = Exit { code: Some(3), signal: None };
        assert_eq!(seen, [Ending { pid: 10, exit: killed }, Ending { pid: 12, exit: failed }]);
    }

    #[test]
    fn what_is_cut_anywhere_tells_nothing_and_breaks_nothing() {
        let whole = told(10, Some(10), 9);
        for length in 0..whole.len() {
            assert_eq!(endings(&whole[..length]).count(), 0, "cut at {length}");
        }
        let mut endless = whole.clone();
        endless[HEADERS..HEADERS + 2].copy_from_slice(&[0, 0]);
        assert_eq!(endings(&endless).count(), 0);
    }
}
