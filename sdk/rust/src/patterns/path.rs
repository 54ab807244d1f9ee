//! Paths: one, and everything below it.

use std::borrow::Cow;

use crate::settings::CheckedSetting;

/// A path and everything below it, as a setting: `/srv/data`, `~`, `~/notes`, `/`; or `*`.
///
/// | pattern | covers | does not cover |
/// |---|---|---|
/// | `/tmp` | `/tmp`, `/tmp/`, `/tmp/a/b`, `/tmp//a/./b` | `/tmpfoo`, `/`, `/TMP`, `tmp`, `/tmp/../etc` |
/// | `~/notes` | `~/notes/a` | `~`, `~other/notes`, `/home/me/notes` |
/// | `/` | every absolute path | `~`, `data`, `//server/share` |
/// | `*` | everything, even what is no path | |
///
/// Paths are compared as texts, by their parts. Nothing here knows where a link leads: confinement is the wall, and this is
/// the rule for what may be asked for. A path with `..` anywhere is covered by nothing but `*`, even where it would come
/// back, and so is one with a backslash, a variable (`$HOME`, `%TEMP%`), braces, a backquote or a control character, which
/// some readers don't take as they stand. A `*` or `?` in what is asked for is a character like others: `/tmp/*` is below
/// `/tmp`, and `/t*` is not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PathPattern(String); // INVARIANT: made by `new` only.

/// Characters that mean more than themselves to some reader of paths.
fn is_plain(path: &str) -> bool {
    !path.bytes().any(|byte| matches!(byte, b'\\' | b'$' | b'%' | b'{' | b'}' | b'`' | 0..=0x1f | 0x7f))
}

impl PathPattern {
    /// Reads a pattern; `None` where the text is none. It has neither `.` nor `..`, no `//`, no slash at its end, and no
    /// character that would be a pattern elsewhere.
    pub fn new(written: &str) -> Option<Self> {
        let root = if written.starts_with('~') { "~" } else { "" };
        let rest = written.strip_prefix(root)?;
        let mut parts = rest.strip_prefix('/').unwrap_or_default().split('/');
        let is_path = matches!(written, "*" | "/" | "~")
            || rest.starts_with('/') && parts.all(|part| !matches!(part, "" | "." | ".."));
        let is_literal = written == "*" || !written.contains(['*', '?', '[', ']']);
        (is_path && is_literal && is_plain(written)).then(|| Self(written.to_owned()))
    }

    /// The pattern as it was written.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether what is asked for is this path, or below it.
    pub fn covers(&self, asked: &str) -> bool {
        if self.0 == "*" {
            return true;
        }
        let is_rooted = asked == "~" || asked.starts_with("~/") || asked.starts_with('/') && !asked.starts_with("//");
        if !is_rooted || !is_plain(asked) || asked.split('/').any(|part| part == "..") {
            return false;
        }
        if self.0.starts_with('~') != asked.starts_with('~') {
            return false;
        }
        let mut asked = parts(asked);
        parts(&self.0).all(|part| asked.next() == Some(part))
    }
}

/// The parts of a path. Those that stay where they are, empty ones and `.`, are left out.
fn parts(path: &str) -> impl Iterator<Item = &str> {
    path.split('/').filter(|part| !matches!(*part, "" | "."))
}

impl CheckedSetting for PathPattern {
    type Written = String;
    const KEYWORDS: &'static str = concat!(
        r#""pattern":"^(\\*|/|~|~?(/("#,
        // A part that doesn't begin with a dot; with one, and more behind it; with two, and more.
        r"[^/.\\\\$%{}`*?\\[\\]\\x00-\\x1f\\x7f][^/\\\\$%{}`*?\\[\\]\\x00-\\x1f\\x7f]*|",
        r"\\.[^/.\\\\$%{}`*?\\[\\]\\x00-\\x1f\\x7f][^/\\\\$%{}`*?\\[\\]\\x00-\\x1f\\x7f]*|",
        r"\\.\\.[^/\\\\$%{}`*?\\[\\]\\x00-\\x1f\\x7f]+))+)$",
        r#"""#
    );

    fn check(written: String) -> Result<Self, Cow<'static, str>> {
        Self::new(&written).ok_or_else(|| {
            "a path like `/srv/data` or `~/notes`, with everything below it, or `*`; without `..`, variables and patterns"
                .into()
        })
    }
}
