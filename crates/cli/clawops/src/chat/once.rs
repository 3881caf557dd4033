//! Without a terminal: one line from the command line, or each line of standard input, carried to its end.

use super::talk::Talk;
use crate::problem::{Problem, Result};
use tokio::io::{AsyncBufReadExt, BufReader};

pub async fn one_line(mut talk: Talk, line: &str) -> Result<()> {
    match talk.say(line).await? {
        Some(operation) => talk.follow(&operation).await,
        None => Ok(()),
    }
}

pub async fn all_of_stdin(mut talk: Talk) -> Result<()> {
    let mut lines = BufReader::new(tokio::io::stdin()).lines();
    let unreadable = |e| Problem::Failed(format!("cannot read standard input: {e}"));
    while let Some(line) = lines.next_line().await.map_err(unreadable)? {
        if line.trim().is_empty() {
            continue;
        }
        if let Some(operation) = talk.say(line.trim()).await? {
            talk.follow(&operation).await?;
        }
    }
    Ok(())
}
