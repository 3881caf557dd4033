//! The answers to recent commands, so that one that is sent again has its effect once.

use crate::files;
use gf_node_proto::CommandResult;
use prost::Message;
use std::{
    collections::{HashMap, VecDeque},
    fs::{self, File},
    io::{self, Write},
    path::{Path, PathBuf},
};

/// The control plane repeats a command within minutes; this is hours of work.
const KEPT: usize = 512;

#[derive(Debug)]
pub struct Answers {
    path: PathBuf,
    file: File,
    by_key: HashMap<String, CommandResult>,
    order: VecDeque<String>,
    in_file: usize,
}

impl Answers {
    pub fn open(path: &Path) -> io::Result<Self> {
        let bytes = match fs::read(path) {
            Ok(bytes) => bytes,
            Err(why) if why.kind() == io::ErrorKind::NotFound => Vec::new(),
            Err(why) => return Err(why),
        };
        let file = files::append_private(path)?;
        let mut answers =
            Self { path: path.to_owned(), file, by_key: HashMap::new(), order: VecDeque::new(), in_file: 0 };
        let mut rest = bytes.as_slice();
        while let Ok(result) = CommandResult::decode_length_delimited(&mut rest) {
            answers.keep(result);
        }
        answers.rewrite()?;
        Ok(answers)
    }

    pub fn get(&self, key: &str) -> Option<&CommandResult> {
        self.by_key.get(key)
    }

    /// Durable when it returns, hence before the answer is sent.
    pub fn remember(&mut self, result: CommandResult) -> io::Result<()> {
        self.file.write_all(&result.encode_length_delimited_to_vec())?;
        self.file.sync_data()?;
        self.in_file += 1;
        self.keep(result);
        if self.in_file > 2 * KEPT { self.rewrite() } else { Ok(()) }
    }

    fn keep(&mut self, result: CommandResult) {
        let key = result.key.clone();
        if self.by_key.insert(key.clone(), result).is_none() {
            self.order.push_back(key);
        }
        if self.order.len() > KEPT
            && let Some(oldest) = self.order.pop_front()
        {
            self.by_key.remove(&oldest);
        }
    }

    fn rewrite(&mut self) -> io::Result<()> {
        let kept = self.order.iter().filter_map(|key| self.by_key.get(key));
        let bytes: Vec<u8> = kept.flat_map(CommandResult::encode_length_delimited_to_vec).collect();
        files::write_private(&self.path, &bytes)?;
        self.file = files::append_private(&self.path)?;
        self.in_file = self.order.len();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(key: &str) -> CommandResult {
        CommandResult { key: key.into(), outcome: None }
    }

    #[test]
    fn an_answer_is_found_again_after_a_restart_and_old_ones_go() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("answers.log");
        let mut answers = Answers::open(&path).unwrap();
        for n in 0..=KEPT {
            answers.remember(answer(&format!("k{n}"))).unwrap();
        }
        drop(answers);
        let answers = Answers::open(&path).unwrap();
        assert!(answers.get("k0").is_none());
        assert_eq!(answers.get("k1"), Some(&answer("k1")));
    }
}
