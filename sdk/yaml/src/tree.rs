//! YAML text → a complete tree; the only file that uses the YAML parser.
//!
//! The tree keeps maps as lists of entries, so that duplicate keys can be reported. It has no positions: the parser
//! gives them only with errors, so [`locate`] walks to a node once more and fails there on purpose.

use std::cell::Cell;
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

use crate::Bounds;
use crate::Malformed;
use crate::Position;
use crate::text;
use crate::text::aliases;
use crate::text::position_of;

/// A YAML value as it was written.
#[derive(Debug, Clone, PartialEq)]
pub enum YamlNode {
    /// Nothing, `~` or `null`.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A whole number.
    Integer(i128),
    /// Any other number, including `.inf` and `.nan`.
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

/// A half of a map's entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Half {
    /// The key.
    Key,
    /// The value; also the items of lists, and the document.
    Value,
}

/// Parses a text of at most one document. A text without any is [`YamlNode::Null`].
///
/// # Errors
/// When it is not YAML, has more than one document, or exceeds a bound.
pub fn parse(text: &str, bounds: &Bounds) -> Result<YamlNode, Malformed> {
    if let Some(malformed) = text::refused(text, bounds) {
        return Err(malformed);
    }
    let malformed = |error| malformed(text, &error, bounds);
    let budget = Cell::new(bounds.expanded);
    let mut documents = serde_yaml::Deserializer::from_str(text);
    let Some(first) = documents.next() else { return Ok(YamlNode::Null) };
    let root = Build(&budget).deserialize(first).map_err(malformed)?;
    match documents.next() {
        None => Ok(root),
        Some(second) => {
            Build(&budget).deserialize(second).map_err(malformed)?;
            let message = format!("a second document begins here; {} is one document", bounds.document);
            Err(Malformed { message, position: second_document(text), allowed: None })
        }
    }
}

/// Returns the position of the node that `steps` lead to: indices of items in lists and of entries in maps.
pub fn locate(text: &str, steps: &[usize], half: Half) -> Option<Position> {
    let reached = NodeLocator { steps, half }.deserialize(serde_yaml::Deserializer::from_str(text));
    reached.err().as_ref().and_then(position)
}

fn position(error: &serde_yaml::Error) -> Option<Position> {
    error.location().map(|location| Position { line: location.line(), column: location.column() })
}

/// Returns the parser's error, or that of aliases which make the text too large; for the latter, at the first alias,
/// because the parser gives no position.
fn malformed(text: &str, error: &serde_yaml::Error, bounds: &Bounds) -> Malformed {
    let message = message_of(text, error);
    if message.ends_with(REPETITION) || message.ends_with(TOO_LARGE) {
        let allowed = format!("{} bytes with every alias written out", bounds.expanded);
        let first = aliases(text).next().map(|offset| position_of(text, offset));
        return Malformed { message: TOO_LARGE.to_owned(), position: first, allowed: Some(allowed) };
    }
    Malformed { message, position: position(error), allowed: None }
}

/// The parser's message for too many aliases.
const REPETITION: &str = "repetition limit exceeded";
const TOO_LARGE: &str = "aliases make this document too large";

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

/// Builds the tree, within a budget for the size with all aliases replaced by their values.
#[derive(Clone, Copy)]
struct Build<'budget>(&'budget Cell<usize>);

impl Build<'_> {
    /// Takes the cost of a node with `bytes` of text from the budget.
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

/// Returns the positions of the keys of each mapping in the list that `steps` lead to, in one walk. All entries of the
/// list have to be mappings with texts as keys; entries after another one are left out.
pub fn key_positions(text: &str, steps: &[usize]) -> Vec<Vec<Position>> {
    let mut found = Vec::new();
    // An error ends the walk; the positions found before it are right.
    let _ = Walk { steps, found: &mut found }.deserialize(serde_yaml::Deserializer::from_str(text));
    found
}

/// Walks to a list, and through its entries.
struct Walk<'w> {
    steps: &'w [usize],
    found: &'w mut Vec<Vec<Position>>,
}

impl<'de> DeserializeSeed<'de> for Walk<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Walk<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list or a mapping")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        let Some((step, steps)) = self.steps.split_first() else {
            while items.next_element_seed(Keys(self.found))?.is_some() {}
            return Ok(());
        };
        for _ in 0..*step {
            items.next_element::<IgnoredAny>()?;
        }
        items.next_element_seed(Walk { steps, found: self.found })?;
        Err(A::Error::custom("done"))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<(), A::Error> {
        let Some((step, steps)) = self.steps.split_first() else { return Err(A::Error::custom("no list")) };
        for _ in 0..*step {
            entries.next_entry::<IgnoredAny, IgnoredAny>()?;
        }
        entries.next_key::<IgnoredAny>()?;
        entries.next_value_seed(Walk { steps, found: self.found })?;
        Err(A::Error::custom("done"))
    }
}

/// Notes the positions of the keys of one mapping.
struct Keys<'w>(&'w mut Vec<Vec<Position>>);

impl<'de> DeserializeSeed<'de> for Keys<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Keys<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a mapping")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<(), A::Error> {
        let mut positions = Vec::new();
        loop {
            // A key that failed was read all the same, so its value is next.
            match entries.next_key_seed(NodeLocator { steps: &[], half: Half::Value }) {
                Ok(None) => break,
                Ok(Some(())) => return Err(A::Error::custom("a key that can't be placed")),
                Err(error) => positions.push(said_position(&error.to_string()).ok_or(error)?),
            }
            entries.next_value::<IgnoredAny>()?;
        }
        self.0.push(positions);
        Ok(())
    }
}

/// Returns the position at the end of an error's message: inside of a visitor the error has no type.
fn said_position(message: &str) -> Option<Position> {
    let (line, column) = message.rsplit_once(" at line ")?.1.split_once(" column ")?;
    Some(Position { line: line.parse().ok()?, column: column.parse().ok()? })
}

#[cfg(test)]
mod tests {
    use super::*;

    const BOUNDS: Bounds = Bounds { document: "a test", expanded: 1_000, brackets: 10 };

    #[test]
    fn an_anchor_given_twice_has_to_be_refused() {
        let text = "[&a 1, &a 2, &b 3, *a]";
        let confused: Vec<u8> = serde_yaml::from_str(text).unwrap();
        assert_eq!(confused, [1, 2, 3, 3], "the parser is right now (2): `repeated_anchor` can go");
        assert!(parse(text, &BOUNDS).is_err());
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

    #[test]
    fn the_keys_of_all_entries_are_found_in_one_walk() {
        let text = "a: 1\nlist:\n- {x: 1, 'y z': {x: 2}}\n- é: [1, 2]\n  b: &b {c: 1}\n- *b\n- {}\nz: 2\n";
        let at = |line, column| Position { line, column };
        let expected = vec![vec![at(3, 4), at(3, 10)], vec![at(4, 3), at(5, 3)], vec![at(5, 10)], vec![]];
        assert_eq!(key_positions(text, &[1]), expected);
        for (item, keys) in expected.iter().enumerate().take(2) {
            for (key, position) in keys.iter().enumerate() {
                assert_eq!(locate(text, &[1, item, key], Half::Key), Some(*position));
            }
        }
        assert_eq!(key_positions("- {a: 1}\n- 2\n- {b: 1}\n", &[]), [[at(1, 4)]]);
        assert!(["", "a: 1", "[", "[1]"].iter().all(|text| key_positions(text, &[0]).is_empty()));
    }
}
