//! Parses an environment file: dotenv, as far as programs agree on it.
//!
//! docs/config.md has the format. Text that programs read in different ways is refused, with its line and the reason. A
//! changed secret would be hard to notice, because no message shows values.

use std::ffi::OsStr;
use std::fmt;
use std::os::unix::ffi::OsStrExt as _;

use crate::env_file::Assignment;
use crate::env_file::is_name;
use smcp_model::encoding;

/// How many lines one message names.
const SHOWN: usize = 8;

/// The error for an environment file that can't be read. Its text is not shown, because it may be a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EnvFileError {
    /// Its text is in another encoding.
    Encoding,
    /// Some lines are not understood.
    Lines(Vec<Wrong>),
}

/// A line that is not understood.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wrong {
    /// Its number, from 1.
    pub line: usize,
    /// The reason.
    pub reason: Reason,
}

/// The reason why a line is not understood.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Reason {
    /// Not an assignment.
    #[error("it has no `=`; a line is KEY=VALUE, is blank, or begins with `#`")]
    NoAssignment,
    /// The text before `=` can't name a variable.
    #[error(
        "what stands before `=` is no name: visible ASCII characters other than `*`, `?`, `[`, `]`, `$`, `\\` and \
             quotation marks"
    )]
    Name,
    /// A NUL byte, which a variable can't hold.
    #[error("it has a NUL byte")]
    Nul,
    /// A carriage return inside the line: line ends of old Macs, or a damaged copy.
    #[error("it has a carriage return in its middle; lines end in LF or CR LF")]
    CarriageReturn,
    /// A reference to a variable, which some programs would expand.
    #[error("it has a `$` before a name, and nothing is expanded here; 'in single quotes' it stays as it is")]
    Expansion,
    /// A backtick, which some programs take for a quotation mark.
    #[error("its value begins with a backtick, which quotes nothing here; put the value in ' or \"")]
    Backtick,
    /// An escape that programs read in different ways.
    #[error("a backslash in \"…\" stands before one of n, r, t, \", ', \\ and $; 'in single quotes' it stays as it is")]
    Escape,
    /// Text behind the closing quotation mark, which a shell would append to the value.
    #[error("more than a comment stands behind the closing quotation mark")]
    BehindQuotes,
    /// The file ends inside a quoted value.
    #[error("the quotation mark that begins its value is never closed")]
    Unclosed,
}

impl fmt::Display for EnvFileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lines = match self {
            Self::Encoding => return f.write_str("it is UTF-16 or UTF-32 text\n  save it as UTF-8"),
            Self::Lines(lines) => lines,
        };
        if let [Wrong { line, reason }] = lines.as_slice() {
            return write!(f, "line {line}: {reason}");
        }
        write!(f, "{} lines of it are not understood", lines.len())?;
        for Wrong { line, reason } in lines.iter().take(SHOWN) {
            write!(f, "\n  line {line}: {reason}")?;
        }
        match lines.len().saturating_sub(SHOWN) {
            0 => Ok(()),
            more => write!(f, "\n  and {more} more"),
        }
    }
}

impl std::error::Error for EnvFileError {}

/// Reads an environment file. The later of two lines with the same name wins where both are used.
///
/// # Errors
/// All lines that are not understood, by number.
pub fn parse(bytes: &[u8]) -> Result<Vec<Assignment>, EnvFileError> {
    let wide = |start: &[u8]| matches!(start, [0xff, 0xfe, ..] | [0xfe, 0xff, ..] | [0, _, ..] | [_, 0, ..]);
    if wide(bytes) {
        return Err(EnvFileError::Encoding);
    }
    let mut reader = EnvFileReader { rest: encoding::without_mark(bytes), line: 1 };
    let (mut assignments, mut wrong) = (Vec::new(), Vec::new());
    while !reader.rest.is_empty() {
        let line = reader.line;
        match reader.statement() {
            Ok(assignment) => assignments.extend(assignment),
            Err(reason) => wrong.push(Wrong { line, reason }),
        }
    }
    if wrong.is_empty() { Ok(assignments) } else { Err(EnvFileError::Lines(wrong)) }
}

/// Reads a file line by line.
struct EnvFileReader<'b> {
    rest: &'b [u8],
    /// The number of the line that `rest` begins in.
    line: usize,
}

impl<'b> EnvFileReader<'b> {
    /// Reads one assignment; `None` for a blank line or a comment. Afterwards the reader is at the start of the next
    /// line, also after an error.
    fn statement(&mut self) -> Result<Option<Assignment>, Reason> {
        let line = self.rest.split(|byte| *byte == b'\n').next().unwrap_or_default();
        let content = line.trim_ascii();
        let assigned = line.iter().position(|byte| *byte == b'=');
        let Some(assigned) = assigned.filter(|_| !content.is_empty() && !content.starts_with(b"#")) else {
            self.skip_line();
            let nothing = content.is_empty() || content.starts_with(b"#");
            return if nothing { Ok(None) } else { Err(Reason::NoAssignment) };
        };
        let (before, value) = line.split_at(assigned);
        let value = value.get(1..).unwrap_or_default();
        let start = value.iter().position(|byte| !matches!(byte, b' ' | b'\t')).unwrap_or(value.len());
        let value = match value.get(start) {
            Some(quote @ (b'\'' | b'"')) => {
                self.rest = self.rest.get(assigned + 1 + start + 1..).unwrap_or_default();
                let value = self.quoted(*quote);
                let behind = self.skip_line();
                value.and_then(|value| if is_comment(behind) { Ok(value) } else { Err(Reason::BehindQuotes) })?
            }
            Some(_) | None => {
                self.skip_line();
                unquoted(value)?
            }
        };
        let name = name(before)?;
        if value.contains(&0) {
            return Err(Reason::Nul);
        }
        Ok(Some(Assignment { name, value: OsStr::from_bytes(&value).to_owned() }))
    }

    /// Skips to the next line; returns the rest of this one.
    fn skip_line(&mut self) -> &'b [u8] {
        let end = self.rest.iter().position(|byte| *byte == b'\n');
        let (line, rest) = self.rest.split_at(end.unwrap_or(self.rest.len()));
        self.rest = rest.get(1..).unwrap_or_default();
        self.line = self.line.saturating_add(1);
        line
    }

    /// Reads the value up to its closing quotation mark, which may be on a later line.
    fn quoted(&mut self, quote: u8) -> Result<Vec<u8>, Reason> {
        let mut value = Vec::new();
        let mut result = Ok(());
        while let [first, rest @ ..] = self.rest {
            self.rest = rest;
            match (*first, rest) {
                (byte, _) if byte == quote => return result.map(|()| value),
                // The lines of a value end in LF, whichever system the file comes from.
                (b'\r', [b'\n', ..]) => {}
                (b'\\', [escaped, rest @ ..]) if quote == b'"' => {
                    self.rest = rest;
                    self.line = self.line.saturating_add(usize::from(*escaped == b'\n'));
                    match unescaped(*escaped) {
                        Some(byte) => value.push(byte),
                        None => result = result.and(Err(Reason::Escape)),
                    }
                }
                (b'$', rest) if quote == b'"' && is_expanded(rest) => result = result.and(Err(Reason::Expansion)),
                (byte, _) => {
                    self.line = self.line.saturating_add(usize::from(byte == b'\n'));
                    value.push(byte);
                }
            }
        }
        Err(Reason::Unclosed)
    }
}

/// The name before `=`.
fn name(before: &[u8]) -> Result<String, Reason> {
    let trimmed = before.trim_ascii();
    // Files for shells begin lines with `export`. A variable may also have that name.
    let exported = trimmed.strip_prefix(b"export").filter(|rest| rest.starts_with(b" ") || rest.starts_with(b"\t"));
    let name = str::from_utf8(exported.unwrap_or(trimmed).trim_ascii()).map_err(|_| Reason::Name)?;
    let is_portable = is_name(name) && !name.contains(['"', '\'', '`', '$', '\\']);
    if is_portable { Ok(name.to_owned()) } else { Err(Reason::Name) }
}

/// Reads a value without quotation marks, up to a comment: a `#` behind white space.
fn unquoted(text: &[u8]) -> Result<Vec<u8>, Reason> {
    let blank = |at: usize| matches!(text.get(at), Some(b' ' | b'\t'));
    let comment = text.iter().enumerate().position(|(at, byte)| *byte == b'#' && at > 0 && blank(at - 1));
    let value = text.get(..comment.unwrap_or(text.len())).unwrap_or_default().trim_ascii();
    let expanded = value.iter().enumerate().any(|(at, byte)| {
        let rest = value.get(at + 1..).unwrap_or_default();
        *byte == b'$' && is_expanded(rest)
    });
    match value {
        [b'`', ..] => Err(Reason::Backtick),
        _ if value.contains(&b'\r') => Err(Reason::CarriageReturn),
        _ if expanded => Err(Reason::Expansion),
        value => Ok(value.to_owned()),
    }
}

/// Whether some programs would expand a `$` before `rest`.
fn is_expanded(rest: &[u8]) -> bool {
    rest.first().is_some_and(|next| next.is_ascii_alphanumeric() || b"_{(".contains(next))
}

/// The byte that a backslash and `byte` mean in double quotation marks.
const fn unescaped(byte: u8) -> Option<u8> {
    match byte {
        b'n' => Some(b'\n'),
        b'r' => Some(b'\r'),
        b't' => Some(b'\t'),
        b'"' | b'\'' | b'\\' | b'$' => Some(byte),
        _ => None,
    }
}

/// Whether a text is blank or a comment.
fn is_comment(text: &[u8]) -> bool {
    let text = text.trim_ascii();
    text.is_empty() || text.starts_with(b"#")
}

#[cfg(test)]
mod tests;
