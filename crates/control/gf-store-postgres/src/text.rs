//! PostgreSQL's text cannot hold the character NUL, and what people and programs type can. It is written as `\0` here, and
//! a backslash as two, so that no two texts become one and a text's beginning stays the beginning of what is written.

use std::borrow::Cow;

pub fn write(text: &str) -> Cow<'_, str> {
    match text.contains(['\0', '\\']) {
        true => Cow::Owned(text.replace('\\', "\\\\").replace('\0', "\\0")),
        false => Cow::Borrowed(text),
    }
}

pub fn read(written: String) -> String {
    if !written.contains('\\') {
        return written;
    }
    let mut text = String::with_capacity(written.len());
    let mut characters = written.chars();
    while let Some(character) = characters.next() {
        match character {
            '\\' => text.push(if characters.next() == Some('0') { '\0' } else { '\\' }),
            other => text.push(other),
        }
    }
    text
}
