//! Patterns for the files that a publisher leaves out, as in `.gitignore`.
//!
//! `*` and `?` stay within one name, `**` crosses folders, `[a-z]` is one of these characters, `\` makes the next
//! character literal. A slash at the end means folders only; one at the beginning or inside anchors the pattern to the
//! directory that is packed, and without one it fits at any depth. `!` includes something again, unless a folder above
//! it is left out. The last pattern that fits decides.

mod glob;

use std::fmt;
use std::str::FromStr;

use crate::pack::patterns::glob::Glob;
use smcp_model::limits;
use smcp_model::text::SafeText;

/// One pattern.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pattern {
    text: String,
    /// A glob for each part of the path; `None` is `**`.
    parts: Vec<Option<Glob>>,
    folders_only: bool,
    takes_in: bool,
}

/// A text is not a pattern.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{found}` is no pattern: {problem}")]
pub struct PatternError {
    found: SafeText,
    problem: &'static str,
}

impl FromStr for Pattern {
    type Err = PatternError;

    fn from_str(text: &str) -> Result<Self, PatternError> {
        let found = || SafeText::quoted(text);
        let error = |problem| PatternError { found: found(), problem };
        let fail = |problem| Err(error(problem));
        if text.len() > limits::PATTERN {
            return fail("it is too long");
        }
        let (takes_in, rest) = text.strip_prefix('!').map_or((false, text), |rest| (true, rest));
        let (folders_only, rest) = rest.strip_suffix('/').map_or((false, rest), |rest| (true, rest));
        let (tied, rest) = rest.strip_prefix('/').map_or((rest.contains('/'), rest), |rest| (true, rest));
        if rest.is_empty() || rest.split('/').any(str::is_empty) {
            return fail("a part of it is empty");
        }
        if rest.split('/').any(|part| part == "." || part == "..") {
            return fail("`.` and `..` stand for nothing in it: patterns begin at the directory that is packed");
        }
        let mut parts = if tied { Vec::new() } else { vec![None] };
        for part in rest.split('/') {
            parts.push(if part == "**" { None } else { Some(Glob::new(part).map_err(error)?) });
        }
        // `a/**` means everything in `a`, and not `a` itself.
        if let (Some(None), true) = (parts.last(), parts.len() > 1) {
            parts.push(Some(Glob::new("*").map_err(error)?));
        }
        Ok(Self { text: text.to_owned(), parts, folders_only, takes_in })
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl Pattern {
    /// Whether it includes something again.
    pub const fn takes_in(&self) -> bool {
        self.takes_in
    }

    /// Whether it fits the path with these parts.
    pub(super) fn fits(&self, path: &[&str], is_folder: bool) -> bool {
        if self.folders_only && !is_folder {
            return false;
        }
        // The positions in the pattern that the path so far can reach: `**` keeps its position, or goes on.
        let mut reached = vec![false; self.parts.len() + 1];
        if let Some(first) = reached.first_mut() {
            *first = true;
        }
        self.pass_double_stars(&mut reached);
        for name in path {
            let mut next = vec![false; reached.len()];
            for ((at, part), _) in self.parts.iter().enumerate().zip(&reached).filter(|(_, reached)| **reached) {
                let to = match part {
                    None => Some(at),
                    Some(glob) => glob.fits(name).then_some(at + 1),
                };
                if let Some(place) = to.and_then(|to| next.get_mut(to)) {
                    *place = true;
                }
            }
            self.pass_double_stars(&mut next);
            reached = next;
        }
        reached.last().copied().unwrap_or_default()
    }

    /// Adds the positions after each `**` that is reached, since `**` may fit no folder at all.
    fn pass_double_stars(&self, reached: &mut [bool]) {
        for (at, part) in self.parts.iter().enumerate() {
            if part.is_none()
                && reached.get(at).copied().unwrap_or_default()
                && let Some(next) = reached.get_mut(at + 1)
            {
                *next = true;
            }
        }
    }
}

/// Reads the patterns of a file, one per line; blank lines and those that begin with `#` are ignored.
///
/// # Errors
/// The line that is not a pattern, and why; or that there are too many.
pub(super) fn read(bytes: &[u8]) -> Result<Vec<Pattern>, String> {
    let text = str::from_utf8(bytes).map_err(|_| "it is not UTF-8".to_owned())?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut patterns = Vec::new();
    for (number, line) in text.lines().enumerate() {
        // A space at the end counts only if it is written `\ `.
        let line = if line.ends_with("\\ ") { line } else { line.trim_end() };
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        patterns.push(line.parse().map_err(|error: PatternError| format!("line {}: {error}", number + 1))?);
    }
    if patterns.len() > limits::PATTERNS {
        return Err(format!("it has {} patterns, and at most {} are read", patterns.len(), limits::PATTERNS));
    }
    Ok(patterns)
}

#[cfg(test)]
mod tests;
