//! Checks of a text before the parser sees it, and positions in it.

use std::collections::BTreeSet;

use crate::Bounds;
use crate::Malformed;
use crate::Position;

/// Returns the offsets of `*word` in a text. In quotes and comments these are not aliases; callers can ignore that.
pub(crate) fn aliases(text: &str) -> impl Iterator<Item = usize> {
    let starts = text.match_indices('*').map(|(offset, _)| offset);
    starts.filter(|offset| {
        let (before, from) = text.split_at_checked(*offset).unwrap_or_default();
        !before.ends_with(is_part) && from.chars().nth(1).is_some_and(|next| is_part(next) && next != '*')
    })
}

/// Whether a character is part of a word, an anchor or an alias.
fn is_part(character: char) -> bool {
    character.is_alphanumeric() || "&*_-".contains(character)
}

/// Returns the position of the byte at `offset`.
pub fn position_of(text: &str, offset: usize) -> Position {
    let before = text.get(..offset).unwrap_or(text);
    let line = before.rsplit('\n').next().unwrap_or(before);
    Position { line: before.matches('\n').count().saturating_add(1), column: line.chars().count().saturating_add(1) }
}

/// Returns the reason to refuse a text before it is parsed.
pub(crate) fn refused(text: &str, bounds: &Bounds) -> Option<Malformed> {
    forbidden_character(text).or_else(|| too_many_brackets(text, bounds)).or_else(|| repeated_anchor(text))
}

/// Finds a character that YAML forbids. The parser refuses it too, but gives no position.
fn forbidden_character(text: &str) -> Option<Malformed> {
    let forbidden = |character: char| {
        !matches!(character,
            '\t' | '\n' | '\r' | ' '..='~' | '\u{85}' | '\u{a0}'..='\u{fefe}' | '\u{ff00}'..='\u{fffd}' | '\u{10000}'..)
    };
    let start = if text.starts_with('\u{feff}') { '\u{feff}'.len_utf8() } else { 0 };
    let (offset, character) = text.char_indices().find(|(at, character)| *at >= start && forbidden(*character))?;
    let message = format!("the character `{}` is not allowed in YAML", character.escape_unicode());
    Some(Malformed { message, position: Some(position_of(text, offset)), allowed: None })
}

fn too_many_brackets(text: &str, bounds: &Bounds) -> Option<Malformed> {
    let (offset, _) = text.match_indices(['[', '{']).nth(bounds.brackets)?;
    let message = format!("more than {} opening brackets; write long lists with `-`", bounds.brackets);
    Some(Malformed { message, position: Some(position_of(text, offset)), allowed: None })
}

/// Finds an anchor that is defined twice. The parser confuses such anchors: an alias may then have another anchor's
/// value. Only texts with aliases are checked; a false alarm needs a `*word`, and the same `&word` twice, in prose.
fn repeated_anchor(text: &str) -> Option<Malformed> {
    aliases(text).next()?;
    let edge = |character: char| !is_part(character);
    let (mut seen, mut end) = (BTreeSet::new(), 0_usize);
    for piece in text.split_inclusive(edge) {
        let (start, word) = (end, piece.trim_end_matches(edge));
        end = start.saturating_add(piece.len());
        if word.len() > 1 && word.starts_with('&') && !seen.insert(word) {
            let message = format!("the anchor `{word}` is defined twice; give every anchor a name of its own");
            return Some(Malformed { message, position: Some(position_of(text, start)), allowed: None });
        }
    }
    None
}
