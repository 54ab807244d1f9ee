//! An environment file: dotenv, as far as programs that read it agree.
//!
//! docs/config.md has the format. What programs read in different ways is refused with its line and the reason: a
//! secret that arrives changed is found by nobody, because no message shows values.

use std::ffi::OsStr;
use std::fmt;
use std::os::unix::ffi::OsStrExt as _;

use crate::launch::env_file::Assignment;
use crate::launch::env_file::is_name;

/// Lines that are named in one message.
const SHOWN: usize = 8;
/// What Windows editors put in front of UTF-8.
const MARK: &[u8] = b"\xef\xbb\xbf";

/// An environment file is not understood. Nothing of its text is shown, because it may be a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EnvFileError {
    /// Its text is in another encoding.
    Encoding,
    /// Lines of it mean nothing here.
    Lines(Vec<Wrong>),
}

/// What is wrong with one line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wrong {
    /// Its number, from 1.
    pub line: usize,
    /// Why.
    pub reason: Reason,
}

/// Why a line is not understood.
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
    /// A variable can't hold it.
    #[error("it has a NUL byte")]
    Nul,
    /// The line ends of old Macs, or a copy that went wrong.
    #[error("it has a carriage return in its middle; lines end in LF or CR LF")]
    CarriageReturn,
    /// Some programs would put another variable there.
    #[error("it has a `$` before a name, and nothing is expanded here; 'in single quotes' it stays as it is")]
    Expansion,
    /// Some programs take them for quotation marks.
    #[error("its value begins with a backtick, which quotes nothing here; put the value in ' or \"")]
    Backtick,
    /// An escape that programs read in different ways.
    #[error("a backslash in \"…\" stands before one of n, r, t, \", ', \\ and $; 'in single quotes' it stays as it is")]
    Escape,
    /// A shell would glue it to the value.
    #[error("more than a comment stands behind the closing quotation mark")]
    BehindQuotes,
    /// The end of the file comes before that of the value.
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
    let mut reader = Reader { rest: bytes.strip_prefix(MARK).unwrap_or(bytes), line: 1 };
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

/// What is left of a file.
struct Reader<'b> {
    rest: &'b [u8],
    /// The number of the line that `rest` begins in.
    line: usize,
}

impl<'b> Reader<'b> {
    /// Reads one assignment, or a line that is none. Whatever comes of it, the reader stands at the next line.
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

    /// Goes on behind the end of this line; returns what was left of it.
    fn skip_line(&mut self) -> &'b [u8] {
        let end = self.rest.iter().position(|byte| *byte == b'\n');
        let (line, rest) = self.rest.split_at(end.unwrap_or(self.rest.len()));
        self.rest = rest.get(1..).unwrap_or_default();
        self.line = self.line.saturating_add(1);
        line
    }

    /// The value up to its closing quotation mark, which may stand on a later line.
    fn quoted(&mut self, quote: u8) -> Result<Vec<u8>, Reason> {
        let mut value = Vec::new();
        let mut result = Ok(());
        while let [first, rest @ ..] = self.rest {
            self.rest = rest;
            match (*first, rest) {
                (byte, _) if byte == quote => return result.map(|()| value),
                // As text editors of any system have it, the lines of a value end in LF.
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
    // As a file that shells read has it. A variable may be called `export`, too.
    let exported = trimmed.strip_prefix(b"export").filter(|rest| rest.starts_with(b" ") || rest.starts_with(b"\t"));
    let name = str::from_utf8(exported.unwrap_or(trimmed).trim_ascii()).map_err(|_| Reason::Name)?;
    let plain = is_name(name) && !name.contains(['"', '\'', '`', '$', '\\']);
    if plain { Ok(name.to_owned()) } else { Err(Reason::Name) }
}

/// A value without quotation marks: up to a comment, which begins with `#` behind white space.
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

/// Whether some program would put something else in the place of a `$` before this.
fn is_expanded(rest: &[u8]) -> bool {
    rest.first().is_some_and(|next| next.is_ascii_alphanumeric() || b"_{(".contains(next))
}

/// What a backslash and a character mean together in double quotation marks.
const fn unescaped(byte: u8) -> Option<u8> {
    match byte {
        b'n' => Some(b'\n'),
        b'r' => Some(b'\r'),
        b't' => Some(b'\t'),
        b'"' | b'\'' | b'\\' | b'$' => Some(byte),
        _ => None,
    }
}

/// Whether nothing but a comment stands there.
fn is_comment(text: &[u8]) -> bool {
    let text = text.trim_ascii();
    text.is_empty() || text.starts_with(b"#")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: impl AsRef<[u8]>) -> Vec<(String, Vec<u8>)> {
        let read = parse(text.as_ref()).unwrap();
        read.iter().map(|given| (given.name.clone(), given.value.as_bytes().to_owned())).collect()
    }

    #[test]
    fn values_are_read_as_dotenv_has_them() {
        let cases: [(&str, &str); 44] = [
            // Without quotation marks.
            ("K=1", "1"),
            ("  K = two words \r", "two words"),
            ("K=", ""),
            ("K= # nothing", ""),
            ("K=a=b#c", "a=b#c"),
            ("K=#c", "#c"),
            ("K=a # b", "a"),
            ("K=a\t#b", "a"),
            ("K=it's", "it's"),
            ("K=a\"b\"", "a\"b\""),
            ("K=a\\nb", "a\\nb"),
            ("K={\"a\": [1]}", "{\"a\": [1]}"),
            ("K=pa$$", "pa$$"),
            ("K=a$ b$", "a$ b$"),
            ("K=C:\\dir\\x", "C:\\dir\\x"),
            // In single ones: as it is.
            ("K=''", ""),
            ("K='a b'", "a b"),
            ("K=' a '", " a "),
            ("K='a # b'", "a # b"),
            ("K='a' # b", "a"),
            ("K='a'#b", "a"),
            ("K='$HOME ${X} $(x) `x`'", "$HOME ${X} $(x) `x`"),
            ("K='a\\nb\\'", "a\\nb\\"),
            ("K='say \"a\"'", "say \"a\""),
            ("K='a\nb\n'", "a\nb\n"),
            ("K='a\r\nb'\r", "a\nb"),
            ("K = 'a'", "a"),
            // In double ones: with escapes.
            ("K=\"\"", ""),
            ("K=\"a b\"", "a b"),
            ("K=\"a # b\" # c", "a # b"),
            ("K=\"it's\"", "it's"),
            ("K=\"a\\nb\\tc\\rd\"", "a\nb\tc\rd"),
            ("K=\"\\\"\\\\\\$HOME\\'\"", "\"\\$HOME'"),
            ("K=\"a\nb\n#c\n\"", "a\nb\n#c\n"),
            ("K=\"a\r\nb\"", "a\nb"),
            ("K=\"5$ `x`\"", "5$ `x`"),
            // With an `export` before the name.
            ("export K=1", "1"),
            ("\texport\tK = 'a'", "a"),
            ("K=export", "export"),
            // Around it.
            ("\u{feff}K=1", "1"),
            ("\u{feff}\n# c\n\n   # d\nK=1\n\n", "1"),
            ("K=0\nK=1", "1"),
            ("K=a\u{e4}", "a\u{e4}"),
            ("K=a\u{3000}b", "a\u{3000}b"),
        ];
        for (text, value) in cases {
            let read = read(text);
            let (name, found) = read.last().unwrap();
            assert_eq!((name.as_str(), found.as_slice()), ("K", value.as_bytes()), "{text:?}");
        }
        for text in ["export=1", "export =1"] {
            assert_eq!(read(text), [("export".to_owned(), b"1".to_vec())]);
        }
        assert_eq!(read(b"K=\xff\xfe"), [("K".to_owned(), b"\xff\xfe".to_vec())], "any bytes are a value");
        let several = read("A=1\nB='2\n3'\nC=\"4\"\n");
        assert_eq!(several.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>(), ["A", "B", "C"]);
        assert!(parse(b"").unwrap().is_empty() && parse(MARK).unwrap().is_empty());
    }

    #[test]
    fn what_is_not_understood_is_named_with_its_line_and_never_shown() {
        let cases: [(&[u8], usize, Reason); 30] = [
            (b"hunter2", 1, Reason::NoAssignment),
            (b"A=1\nKEY\n", 2, Reason::NoAssignment),
            (b"KEY: hunter2", 1, Reason::NoAssignment),
            (b"export KEY", 1, Reason::NoAssignment),
            (b"=hunter2", 1, Reason::Name),
            (b"set KEY=hunter2", 1, Reason::Name),
            (b"exportKEY A=hunter2", 1, Reason::Name),
            (b"*=hunter2", 1, Reason::Name),
            (b"\"KEY\"=hunter2", 1, Reason::Name),
            (b"$KEY=hunter2", 1, Reason::Name),
            (b"\xc3\x84=hunter2", 1, Reason::Name),
            (b"\xff=hunter2", 1, Reason::Name),
            (b"KEY=hun\0ter2", 1, Reason::Nul),
            (b"KEY='hun\0ter2'", 1, Reason::Nul),
            (b"A=1\rB=hunter2", 1, Reason::CarriageReturn),
            (b"KEY=$HOME/hunter2", 1, Reason::Expansion),
            (b"KEY=hunter2:${X}", 1, Reason::Expansion),
            (b"KEY=$(hunter2)", 1, Reason::Expansion),
            (b"KEY=hunter$2", 1, Reason::Expansion),
            (b"A=1\n\nKEY=\"hunter2\n$X\"", 3, Reason::Expansion),
            (b"KEY=`hunter2`", 1, Reason::Backtick),
            (b"KEY=\"hunter2\\d\"", 1, Reason::Escape),
            (b"KEY=\"hunter2\\\n\"", 1, Reason::Escape),
            (b"KEY=\"hunter2\"x", 1, Reason::BehindQuotes),
            (b"KEY='hunter'2'", 1, Reason::BehindQuotes),
            (b"KEY='hunter\\'2'", 1, Reason::BehindQuotes),
            (b"A=1\nKEY=\"hunter2\nB=2\n", 2, Reason::Unclosed),
            (b"KEY='hunter2", 1, Reason::Unclosed),
            (b"KEY='", 1, Reason::Unclosed),
            (b"KEY=\"hunter2\\", 1, Reason::Unclosed),
        ];
        for (text, line, reason) in cases {
            let error = parse(text).unwrap_err();
            let shown = String::from_utf8_lossy(text);
            assert_eq!(error, EnvFileError::Lines(vec![Wrong { line, reason }]), "{shown}");
            assert!(!error.to_string().contains("hunter"), "{error}");
        }
        for text in [b"\xff\xfeA\0=\x001\0".as_slice(), b"\xfe\xff\0A", b"A\0=\x001\0", b"\0A\0=", b"\xff\xfe\0\0"] {
            assert_eq!(parse(text), Err(EnvFileError::Encoding), "{text:?}");
        }
    }

    #[test]
    fn all_lines_are_named_at_once_and_the_count_goes_on_behind_long_values() {
        let text = b"bad\nA='1\n2\n3'\nbad\nB=\"1\n\\x\"\nC=`\nD=\"\\\n\"\nbad";
        let EnvFileError::Lines(lines) = parse(text).unwrap_err() else { panic!("these are lines") };
        assert_eq!(lines.iter().map(|wrong| wrong.line).collect::<Vec<_>>(), [1, 5, 6, 8, 9, 11]);
        let many = parse(&b"bad\n".repeat(20)).unwrap_err().to_string();
        assert!(many.starts_with("20 lines of it are not understood\n  line 1: it has no `=`"), "{many}");
        assert!(many.ends_with("\n  and 12 more"), "{many}");
    }
}
