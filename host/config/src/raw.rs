//! YAML text → a complete tree; the only file that uses the YAML parser.
//!
//! Before it the caller has read a file; after it `reader` walks the tree and collects problems. The tree keeps maps as
//! lists of entries, so that duplicate keys can be reported. It has no positions: the parser gives them only with
//! errors, so [`locate`] walks to a node once more and fails there on purpose.

use std::cell::Cell;
use std::collections::BTreeSet;
use std::fmt;

use serde::de::DeserializeSeed;
use serde::de::Deserializer;
use serde::de::EnumAccess;
use serde::de::Error;
use serde::de::IgnoredAny;
use serde::de::MapAccess;
use serde::de::SeqAccess;
use serde::de::VariantAccess;
use serde::de::Visitor;

use smcp_model::limits;

/// A YAML value as it was written.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum YamlNode {
    /// Nothing, `~` or `null`.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A whole number.
    Integer(i128),
    /// Any other number, also `.inf` and `.nan`.
    Float(f64),
    /// Text, quoted or not.
    Text(String),
    /// A sequence.
    List(Vec<Self>),
    /// A mapping, in the order of the file.
    Map(Vec<(Self, Self)>),
    /// A value with a tag of its own, such as `!secret x`.
    Tagged(String),
}

/// A position in a file; line and column are counted from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
pub struct Position {
    /// The line.
    pub line: usize,
    /// The column, in characters.
    pub column: usize,
}

/// The error for a text that is not one YAML document.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Malformed {
    /// What is wrong.
    pub(super) message: String,
    /// Where it is wrong; `None` when that is unknown.
    pub(super) position: Option<Position>,
    /// The limit; `None` when no limit was exceeded.
    pub(super) allowed: Option<String>,
}

/// A half of a map's entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Half {
    /// The key.
    Key,
    /// The value; also the items of lists, and the document.
    Value,
}

/// Parses a text of at most one document. A text without any is [`YamlNode::Null`].
pub(super) fn parse(text: &str) -> Result<YamlNode, Malformed> {
    let refused = forbidden_character(text).or_else(|| too_many_brackets(text)).or_else(|| repeated_anchor(text));
    if let Some(malformed) = refused {
        return Err(malformed);
    }
    let malformed = |error| malformed(text, &error);
    let budget = Cell::new(limits::CONFIG_EXPANDED);
    let mut documents = serde_yaml::Deserializer::from_str(text);
    let Some(first) = documents.next() else { return Ok(YamlNode::Null) };
    let root = Build(&budget).deserialize(first).map_err(malformed)?;
    match documents.next() {
        None => Ok(root),
        Some(second) => {
            Build(&budget).deserialize(second).map_err(malformed)?;
            let message = "a second document begins here; a configuration is one document".to_owned();
            Err(Malformed { message, position: second_document(text), allowed: None })
        }
    }
}

/// Returns the position of the node that `steps` lead to: indices of items in lists and of entries in maps.
pub(super) fn locate(text: &str, steps: &[usize], half: Half) -> Option<Position> {
    let reached = NodeLocator { steps, half }.deserialize(serde_yaml::Deserializer::from_str(text));
    reached.err().as_ref().and_then(position)
}

fn position(error: &serde_yaml::Error) -> Option<Position> {
    error.location().map(|location| Position { line: location.line(), column: location.column() })
}

/// Returns the error of the parser, or that of aliases which make the text too large. The position of the latter is the
/// first alias, since the parser gives none.
fn malformed(text: &str, error: &serde_yaml::Error) -> Malformed {
    let message = message_of(text, error);
    if message.ends_with(REPETITION) || message.ends_with(TOO_LARGE) {
        let allowed = format!("{} bytes with every alias written out", limits::CONFIG_EXPANDED);
        let first = aliases(text).next().map(|offset| position_of(text, offset));
        return Malformed { message: TOO_LARGE.to_owned(), position: first, allowed: Some(allowed) };
    }
    Malformed { message, position: position(error), allowed: None }
}

/// The parser's message for too many aliases.
const REPETITION: &str = "repetition limit exceeded";
const TOO_LARGE: &str = "aliases make this document too large";

/// Returns the offsets of `*word` in a text. In quotes and comments it is not an alias, but callers can ignore that.
fn aliases(text: &str) -> impl Iterator<Item = usize> {
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

/// Returns the parser's message without the position, which every problem shows anyway.
fn message_of(text: &str, error: &serde_yaml::Error) -> String {
    let message = error.to_string();
    let Some(at) = position(error) else { return message };
    let line = text.lines().nth(at.line.saturating_sub(1)).unwrap_or_default();
    if line.chars().nth(at.column.saturating_sub(1)) == Some('\t') {
        return "found a tab where YAML allows only spaces".to_owned();
    }
    message.replacen(&format!(" at line {} column {}", at.line, at.column), "", 1)
}

fn second_document(text: &str) -> Option<Position> {
    let second = serde_yaml::Deserializer::from_str(text).nth(1)?;
    NodeLocator { steps: &[], half: Half::Value }.deserialize(second).err().as_ref().and_then(position)
}

/// Returns the position of the byte at `offset`.
pub(super) fn position_of(text: &str, offset: usize) -> Position {
    let before = text.get(..offset).unwrap_or(text);
    let line = before.rsplit('\n').next().unwrap_or(before);
    Position { line: before.matches('\n').count().saturating_add(1), column: line.chars().count().saturating_add(1) }
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

fn too_many_brackets(text: &str) -> Option<Malformed> {
    let (offset, _) = text.match_indices(['[', '{']).nth(limits::CONFIG_BRACKETS)?;
    let message = format!("more than {} opening brackets; write long lists with `-`", limits::CONFIG_BRACKETS);
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

/// Builds the tree, within a budget for the size with all aliases expanded.
#[derive(Clone, Copy)]
struct Build<'budget>(&'budget Cell<usize>);

impl Build<'_> {
    /// Takes the cost of one node that holds `bytes` of text from the budget.
    fn pay<E: Error>(self, bytes: usize) -> Result<(), E> {
        let left = self.0.get().checked_sub(bytes.saturating_add(NODE_COST));
        self.0.set(left.ok_or_else(|| E::custom(TOO_LARGE))?);
        Ok(())
    }

    fn leaf<E: Error>(self, node: YamlNode) -> Result<YamlNode, E> {
        self.pay(0).map(|()| node)
    }
}

/// The cost of a node without text, bytes: an item of one digit in a list takes two in the file.
const NODE_COST: usize = 2;

impl<'de> DeserializeSeed<'de> for Build<'_> {
    type Value = YamlNode;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<YamlNode, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Build<'_> {
    type Value = YamlNode;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a YAML value of which smcp can make something")
    }

    fn visit_unit<E: Error>(self) -> Result<YamlNode, E> {
        self.leaf(YamlNode::Null)
    }

    fn visit_none<E: Error>(self) -> Result<YamlNode, E> {
        self.leaf(YamlNode::Null)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<YamlNode, E> {
        self.leaf(YamlNode::Bool(value))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<YamlNode, E> {
        self.leaf(YamlNode::Integer(value.into()))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<YamlNode, E> {
        self.leaf(YamlNode::Integer(value.into()))
    }

    fn visit_i128<E: Error>(self, value: i128) -> Result<YamlNode, E> {
        self.leaf(YamlNode::Integer(value))
    }

    fn visit_u128<E: Error>(self, value: u128) -> Result<YamlNode, E> {
        let fits = i128::try_from(value).map_err(|_| E::custom(format!("the number {value} is too large")))?;
        self.leaf(YamlNode::Integer(fits))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<YamlNode, E> {
        self.leaf(YamlNode::Float(value))
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<YamlNode, E> {
        self.pay(value.len()).map(|()| YamlNode::Text(value.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<YamlNode, A::Error> {
        self.pay(0)?;
        let mut list = Vec::new();
        while let Some(item) = items.next_element_seed(self)? {
            list.push(item);
        }
        Ok(YamlNode::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<YamlNode, A::Error> {
        self.pay(0)?;
        let mut map = Vec::new();
        while let Some(entry) = entries.next_entry_seed(self, self)? {
            map.push(entry);
        }
        Ok(YamlNode::Map(map))
    }

    fn visit_enum<A: EnumAccess<'de>>(self, tagged: A) -> Result<YamlNode, A::Error> {
        let (tag, value) = tagged.variant::<String>()?;
        value.newtype_variant::<IgnoredAny>()?;
        self.pay(tag.len()).map(|()| YamlNode::Tagged(tag))
    }
}

/// Walks to a node and fails there, because the parser gives positions only with errors. Nodes other than maps and
/// lists fail by themselves, because there is no other `visit_` function.
struct NodeLocator<'steps> {
    steps: &'steps [usize],
    half: Half,
}

impl<'de> DeserializeSeed<'de> for NodeLocator<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for NodeLocator<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("nothing here")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        let [step, steps @ ..] = self.steps else { return Err(A::Error::custom("here")) };
        for _ in 0..*step {
            items.next_element::<IgnoredAny>()?;
        }
        items.next_element_seed(NodeLocator { steps, half: self.half })?;
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<(), A::Error> {
        let [step, steps @ ..] = self.steps else { return Err(A::Error::custom("here")) };
        for _ in 0..*step {
            entries.next_entry::<IgnoredAny, IgnoredAny>()?;
        }
        if steps.is_empty() && self.half == Half::Key {
            entries.next_key_seed(NodeLocator { steps, half: self.half })?;
        } else {
            entries.next_key::<IgnoredAny>()?;
            entries.next_value_seed(NodeLocator { steps, half: self.half })?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_anchor_given_twice_has_to_be_refused() {
        let text = "[&a 1, &a 2, &b 3, *a]";
        let confused: Vec<u8> = serde_yaml::from_str(text).unwrap();
        assert_eq!(confused, [1, 2, 3, 3], "the parser is right now (2): `repeated_anchor` can go");
        assert!(parse(text).is_err());
    }

    #[test]
    fn places_are_counted_in_characters_from_one() {
        let text = "é: 1\n\"ü\": {b: [x, y]}\n";
        let cases = [
            (&[0][..], Half::Key, (1, 1)),
            (&[0], Half::Value, (1, 4)),
            (&[1], Half::Key, (2, 1)),
            (&[1, 0, 1], Half::Value, (2, 14)),
        ];
        for (steps, half, (line, column)) in cases {
            assert_eq!(locate(text, steps, half), Some(Position { line, column }), "{steps:?}");
        }
        assert_eq!(position_of(text, text.find('y').unwrap()), Position { line: 2, column: 14 });
    }
}
