//! Finds out that bytes can't name a method that matters to a settled session.
//!
//! `client` skims the bytes that it need not read. A method is a string inside one line, and its name is compared
//! exactly, after escapes are undone. So bytes without a part of such a name, and without an escape for one of its
//! letters, can't have the name, whatever the JSON around it is.

use memchr::memmem::Finder;

/// How many earlier bytes a name or an escape can begin in.
pub(crate) const OVERLAP: usize = INITIALIZE.len() - 1;

/// The part of `initialize` and of `notifications/initialized` that is searched for.
const INITIALIZE: &str = "initialize";
/// The part of `server/discover`. The slash is left out, here and below, because it is often escaped.
const DISCOVER: &str = "discover";
/// The part of `tools/list`.
const LIST: &str = "list";
/// The start of a numeric escape of an ASCII character.
const ASCII: &str = "\\u00";

/// Searches for the parts of names that matter.
#[derive(Debug)]
pub(crate) struct Skimmer {
    handshakes: [Finder<'static>; 2],
    lists: Finder<'static>,
    ascii: Finder<'static>,
}

impl Default for Skimmer {
    fn default() -> Self {
        Self {
            handshakes: [Finder::new(INITIALIZE), Finder::new(DISCOVER)],
            lists: Finder::new(LIST),
            ascii: Finder::new(ASCII),
        }
    }
}

impl Skimmer {
    /// Whether the bytes may name a method that matters: one that begins or ends a handshake, a discovery, and, with
    /// `lists`, a request for the list of tools. A name that is cut off at either end is not found.
    pub(crate) fn finds(&self, bytes: &[u8], lists: bool) -> bool {
        self.handshakes.iter().any(|name| name.find(bytes).is_some())
            || (lists && self.lists.find(bytes).is_some())
            || memchr::memchr(b'\\', bytes)
                .and_then(|first| bytes.get(first..))
                .is_some_and(|escapes| self.spells_letters(escapes))
    }

    /// Whether an escape means a lower-case letter. An escaped backslash is taken for the start of an escape, too: a
    /// false alarm only costs time.
    fn spells_letters(&self, bytes: &[u8]) -> bool {
        let by_number = |at: usize| matches!(bytes.get(at + ASCII.len()), Some(b'6' | b'7'));
        self.ascii.find_iter(bytes).any(by_number) || has_lax_escape(bytes)
    }
}

/// Whether a backslash is before a letter that has no escape. This is not JSON, but lax decoders read it as the letter
/// itself. Texts can be full of other escapes, so all pairs are compared without branches.
fn has_lax_escape(bytes: &[u8]) -> bool {
    let lax = |first: u8, second: u8| {
        let escapes = matches!(second, b'b' | b'f' | b'n' | b'r' | b't' | b'u');
        (first == b'\\') & second.is_ascii_lowercase() & !escapes
    };
    let seconds = bytes.get(1..).unwrap_or_default();
    bytes.iter().zip(seconds).fold(false, |found, (first, second)| found | lax(*first, *second))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::proxy::token::Method;

    const MATTER: [(&str, Method); 4] = [
        ("initialize", Method::Initialize),
        ("notifications/initialized", Method::Initialized),
        ("server/discover", Method::Discover),
        ("tools/list", Method::List),
    ];

    #[test]
    fn a_name_that_matters_is_found_however_it_is_spelled() {
        let skimmer = Skimmer::default();
        let mut spellings = 0;
        for (name, method) in MATTER {
            for (at, letter) in name.char_indices() {
                let code = u32::from(letter);
                for escape in
                    [letter.to_string(), format!("\\{letter}"), format!("\\u{code:04x}"), format!("\\u{code:04X}")]
                {
                    let raw = format!("{}{escape}{}", &name[..at], &name[at + 1..]);
                    if Method::read(raw.as_bytes()) == method {
                        spellings += 1;
                        assert!(skimmer.finds(raw.as_bytes(), true), "{raw}");
                        assert!(skimmer.finds(raw.as_bytes(), false) || method == Method::List, "{raw}");
                    }
                }
            }
        }
        assert!(spellings > 200, "{spellings}");
    }

    #[test]
    fn what_is_cut_is_found_when_as_much_as_overlaps_is_looked_at_again() {
        let skimmer = Skimmer::default();
        for whole in ["initialize", "discover", "list", "\\u006", "\\u007", "\\i"] {
            assert!(whole.len() <= OVERLAP + 1, "{whole}");
            assert!(skimmer.finds(whole.as_bytes(), true), "{whole}");
            for end in 1..whole.len() {
                assert!(!skimmer.finds(&whole.as_bytes()[..end], true), "{whole}, {end} bytes of it");
            }
        }
    }

    #[test]
    fn what_messages_are_made_of_is_not_taken_for_a_name() {
        let skimmer = Skimmer::default();
        for (raw, lists, found) in [
            (r#"{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{}}"#, true, false),
            (r#"{"method":"tools/list"}"#, false, false),
            (r#"{"method":"resources/read","uri":"http:\/\/a"}"#, true, false),
            (r#""a\n\t\r\b\f\"\\\/""#, true, false),
            (r#""caf\u00e9 \u003cb\u003e \u4e2d \ud83d\ude80""#, true, false),
            (r#""C:\\initrd""#, true, true),
            ("Initialize DISCOVER initialise", true, false),
            ("", true, false),
        ] {
            assert_eq!(skimmer.finds(raw.as_bytes(), lists), found, "{raw}");
        }
    }
}
