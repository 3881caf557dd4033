//! A secret's value in memory: wiped when dropped, and silent about itself.

use std::{fmt, str::Utf8Error};
use zeroize::Zeroizing;

/// Has no `Serialize`, `Display` or `Clone` on purpose.
pub struct Plain(Zeroizing<Vec<u8>>);

impl Plain {
    pub fn new(value: impl Into<Vec<u8>>) -> Self {
        Self(Zeroizing::new(value.into()))
    }

    /// The value itself, for the one who hands it to where it is used.
    pub fn expose(&self) -> &[u8] {
        &self.0
    }

    pub fn expose_str(&self) -> Result<&str, Utf8Error> {
        std::str::from_utf8(&self.0)
    }
}

impl fmt::Debug for Plain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[secret]")
    }
}
