//! Variables from the user: `--env KEY=VALUE` and `--env-file`.
//!
//! Values are secrets: no message and no `Debug` shows one.

mod dotenv;
mod argument_limits;

pub use argument_limits::ArgumentLimits;
pub use argument_limits::TooLong;
pub use dotenv::EnvFileError;
pub use dotenv::parse;

use std::ffi::OsStr;
use std::ffi::OsString;
use std::fmt;
use std::os::unix::ffi::OsStrExt as _;
use std::str::FromStr;

/// One variable and its value.
#[derive(Clone, PartialEq, Eq)]
pub struct Assignment {
    name: String,    // INVARIANT: `is_name`.
    value: OsString, // INVARIANT: without a NUL.
}

/// The error for a text that is not `KEY=VALUE`. The text isn't shown, because it may be a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected KEY=VALUE, where KEY has only visible ASCII characters other than `=`, `*`, `?`, `[` and `]`")]
pub struct AssignmentError;

impl Assignment {
    /// The variable's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its value.
    pub fn value(&self) -> &OsStr {
        &self.value
    }

    /// Parses `KEY=VALUE` from the command line; the value may be any bytes without a NUL.
    ///
    /// # Errors
    /// When the text is not `KEY=VALUE`; the error doesn't show it.
    pub fn from_os(text: &OsStr) -> Result<Self, AssignmentError> {
        Self::from_bytes(text.as_bytes())
    }

    fn from_bytes(text: &[u8]) -> Result<Self, AssignmentError> {
        let mut halves = text.splitn(2, |byte| *byte == b'=');
        let (Some(name), Some(value)) = (halves.next(), halves.next()) else { return Err(AssignmentError) };
        let name = str::from_utf8(name.trim_ascii()).map_err(|_| AssignmentError)?;
        if !is_name(name) || value.contains(&0) {
            return Err(AssignmentError);
        }
        Ok(Self { name: name.to_owned(), value: OsStr::from_bytes(value).to_owned() })
    }
}

impl FromStr for Assignment {
    type Err = AssignmentError;

    /// Parses `KEY=VALUE`; the value is everything after the first `=`, unchanged.
    fn from_str(text: &str) -> Result<Self, AssignmentError> {
        Self::from_bytes(text.as_bytes())
    }
}

impl fmt::Debug for Assignment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Assignment({}=…)", self.name)
    }
}

/// Whether `text` can name a variable. Patterns are not names, so they match nothing.
pub(crate) fn is_name(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic() && !b"=*?[]".contains(&byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flag_keeps_its_value_as_it_is() {
        let given: Assignment = "KEY= a=b ".parse().unwrap();
        assert_eq!((given.name(), given.value()), ("KEY", OsStr::new(" a=b ")));
        for bad in ["", "KEY", "=value", "A B=1", "A*=1", "Ä=1", "A=\0"] {
            assert_eq!(bad.parse::<Assignment>(), Err(AssignmentError), "{bad:?}");
        }
    }

    #[test]
    fn debug_shows_no_value() {
        assert_eq!(format!("{:?}", "TOKEN=hunter2".parse::<Assignment>().unwrap()), "Assignment(TOKEN=…)");
    }
}
