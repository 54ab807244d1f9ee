//! Variables that the user gives: `--env KEY=VALUE`, and an `--env-file`.
//!
//! Values are secrets: no message and no `Debug` shows one.

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

/// A text is not `KEY=VALUE`. It isn't shown, because it may be a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected KEY=VALUE, where KEY has only visible ASCII characters other than `=`, `*`, `?`, `[` and `]`")]
pub struct AssignmentError;

/// Lines of an environment file are not what they should be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not KEY=VALUE: line {}; every line must be KEY=VALUE, blank, or begin with `#`", listed(.lines))]
pub struct EnvFileError {
    /// Their numbers, from 1.
    pub lines: Vec<usize>,
}

impl Assignment {
    /// The variable's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its value.
    pub fn value(&self) -> &OsStr {
        &self.value
    }

    /// Reads `KEY=VALUE` as the command line gives it; the value may be any bytes.
    ///
    /// # Errors
    /// When it has another shape; the error doesn't show the text.
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

    /// Reads `KEY=VALUE`; the value is everything after the first `=`, as it is.
    fn from_str(text: &str) -> Result<Self, AssignmentError> {
        Self::from_bytes(text.as_bytes())
    }
}

impl fmt::Debug for Assignment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Assignment({}=…)", self.name)
    }
}

/// Whether `text` can name a variable. Patterns are no names, so that they match nothing.
pub(crate) fn is_name(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic() && !b"=*?[]".contains(&byte))
}

/// Reads an environment file: `KEY=VALUE` lines, trimmed, no quoting and no `export`; blank lines and lines that begin
/// with `#` are skipped. The later of two lines with the same name wins.
///
/// # Errors
/// All lines that are something else, by number.
pub fn parse(bytes: &[u8]) -> Result<Vec<Assignment>, EnvFileError> {
    let mut assignments = Vec::new();
    let mut lines = Vec::new();
    for (number, line) in (1..).zip(bytes.split(|byte| *byte == b'\n')) {
        let line = line.trim_ascii();
        if line.is_empty() || line.starts_with(b"#") {
            continue;
        }
        match trimmed(line) {
            Ok(assignment) => assignments.push(assignment),
            Err(AssignmentError) => lines.push(number),
        }
    }
    if lines.is_empty() { Ok(assignments) } else { Err(EnvFileError { lines }) }
}

fn trimmed(line: &[u8]) -> Result<Assignment, AssignmentError> {
    let assignment = Assignment::from_bytes(line)?;
    let value = OsStr::from_bytes(assignment.value.as_bytes().trim_ascii()).to_owned();
    Ok(Assignment { value, ..assignment })
}

/// `3`, `3, 7`, `3, 7, 9 and 12 more`.
fn listed(lines: &[usize]) -> String {
    const SHOWN: usize = 8;
    let shown: Vec<_> = lines.iter().take(SHOWN).map(usize::to_string).collect();
    match lines.len().saturating_sub(SHOWN) {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_gives_its_assignments_in_order() {
        let text =
            b"# a comment\n\n  A=1  \nB = two words \r\nC=\n  # indented\nD=a=b#c\nE=\"quoted\"\nA=2\nF=\xff\xfe";
        let read: Vec<_> = parse(text)
            .unwrap()
            .iter()
            .map(|given| (given.name().to_owned(), given.value().as_bytes().to_owned()))
            .collect();
        let expected: [(&str, &[u8]); 7] = [
            ("A", b"1"),
            ("B", b"two words"),
            ("C", b""),
            ("D", b"a=b#c"),
            ("E", b"\"quoted\""),
            ("A", b"2"),
            ("F", b"\xff\xfe"),
        ];
        let expected: Vec<_> = expected.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
        assert_eq!(read, expected);
    }

    #[test]
    fn bad_lines_are_all_named_and_never_shown() {
        let text = b"A=1\nhunter2\nexport B=hunter2\n=hunter2\nC=hun\0ter2\n\xef\xbb\xbfD=1\n*=hunter2\nE=1\n\xff=1";
        let error = parse(text).unwrap_err();
        assert_eq!(error.lines, [2, 3, 4, 5, 6, 7, 9]);
        assert!(!error.to_string().contains("hunter"), "{error}");
        assert!(error.to_string().contains("line 2, 3, 4"), "{error}");
        let many = parse(&b"bad\n".repeat(20)).unwrap_err().to_string();
        assert!(many.contains("7, 8 and 12 more"), "{many}");
    }

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
