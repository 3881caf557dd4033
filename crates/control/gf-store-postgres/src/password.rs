//! Passwords come from files that are their owner's alone, and go nowhere but into the connection.

use crate::Address;
use std::{fmt, fs, io, os::unix::fs::PermissionsExt, path::Path, path::PathBuf};

pub struct Password(String);

#[derive(Debug, thiserror::Error)]
pub enum BadPassword {
    #[error("{path} cannot be read, and the store's password should be there")]
    Unreadable {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    #[error(
        "{0} holds the store's password and can be read by others; take their rights away: chmod 600 {0}"
    )]
    Open(PathBuf),
    #[error("{0} is empty; the store's password should be there")]
    Empty(PathBuf),
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password([secret])")
    }
}

impl Password {
    pub(crate) fn bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }

    /// A file that holds the password and nothing else.
    pub fn from_file(path: &Path) -> Result<Self, BadPassword> {
        match private_text(path)?.lines().next() {
            None | Some("") => Err(BadPassword::Empty(path.to_owned())),
            Some(line) => Ok(Self(line.to_owned())),
        }
    }

    /// The line of a file in libpq's form (`host:port:database:user:password`) that fits the address; `None` without one.
    pub fn from_pgpass(path: &Path, address: &Address) -> Result<Option<Self>, BadPassword> {
        let text = private_text(path)?;
        let wanted = address.fields();
        Ok(text.lines().filter(|line| !line.starts_with('#')).find_map(|line| fitting(line, &wanted)))
    }
}

fn private_text(path: &Path) -> Result<String, BadPassword> {
    let unreadable = |source| BadPassword::Unreadable { path: path.to_owned(), source };
    let mode = fs::metadata(path).map_err(unreadable)?.permissions().mode();
    if mode & 0o077 != 0 {
        return Err(BadPassword::Open(path.to_owned()));
    }
    fs::read_to_string(path).map_err(unreadable)
}

fn fitting(line: &str, wanted: &[String; 4]) -> Option<Password> {
    let fields = split(line);
    let [of @ .., password] = fields.as_slice() else { return None };
    // A socket's directory also goes by the name that libpq gives it.
    let local = wanted[0].starts_with('/') && of.first().is_some_and(|host| host == "localhost");
    let fits = of.len() == wanted.len()
        && of
            .iter()
            .zip(wanted)
            .enumerate()
            .all(|(n, (field, wanted))| field == "*" || field == wanted || (n == 0 && local));
    (fits && !password.is_empty()).then(|| Password(password.clone()))
}

/// Parts between colons; a backslash takes the meaning from the character after it.
fn split(line: &str) -> Vec<String> {
    let mut fields = vec![String::new()];
    let mut characters = line.chars();
    while let Some(character) = characters.next() {
        match character {
            ':' => fields.push(String::new()),
            '\\' => fields.last_mut().into_iter().for_each(|last| last.extend(characters.next())),
            other => fields.last_mut().into_iter().for_each(|last| last.push(other)),
        }
    }
    fields
}
