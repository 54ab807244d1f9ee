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
/// | `*` | everything, even a text that is not a path | |
///
/// Paths are compared as texts, part by part. Links are not followed: a pattern limits what a manifest may ask for, and
/// doesn't confine a server. Only `*` covers a path with `..` anywhere, even when it leads back, and a path with a
/// backslash, a variable (`$HOME`, `%TEMP%`), braces, a backquote or a control character, which some readers change. A
/// `*` or `?` in a request is a character like any other: `/tmp/*` is below `/tmp`, and `/t*` is not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PathPattern(String); // INVARIANT: made by `new` only.

/// Characters that mean more than themselves to some reader of paths.
fn is_plain(path: &str) -> bool {
    !path.bytes().any(|byte| matches!(byte, b'\\' | b'$' | b'%' | b'{' | b'}' | b'`' | 0..=0x1f | 0x7f))
}

impl PathPattern {
    /// Reads a pattern; `None` for any other text. A pattern has no `.`, `..` or `//`, no slash at its end, and no
    /// character that would be a wildcard elsewhere.
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

    /// Whether a request is for this path, or one below it.
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

/// Returns the parts of a path, without empty ones and `.`, which lead nowhere.
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
