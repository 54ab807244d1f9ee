//! The shape of a setting, as constants that the derive writes.
//!
//! An impossible shape does not compile. This example compiles; each of the others changes one thing that makes it
//! fail:
//!
//! ```
//! # use smcp_policy_sdk::*;
//! #[derive(Settings)]
//! struct Rules {
//!     #[setting(range = 0..=255, default = 1)]
//!     number: u8,
//!     #[setting(length = 1..)]
//!     texts: Vec<String>,
//!     maybe: Option<bool>,
//!     map: std::collections::BTreeMap<String, u8>,
//! }
//! # impl Policy for Rules {
//! #     const DESCRIPTION: Description = Description::new("rules", "0.1.0", "Does nothing.");
//! #     fn evaluate(&self, _: &Request) -> Verdict { Verdict::allow() }
//! # }
//! export!(Rules);
//! testing::describe::<Rules>().unwrap();
//! ```
//!
//! A range beyond its type, a range of a text, a length of a number, an option in an option, a map with numbers as
//! keys:
//!
//! ```compile_fail,E0080
//! # use smcp_policy_sdk::*;
//! #[derive(Settings)]
//! struct Rules { #[setting(range = 0..=256)] number: u8 }
//! const SHAPE: settings::Shape = Rules::SHAPE;
//! ```
//!
//! ```compile_fail,E0080
//! # use smcp_policy_sdk::*;
//! #[derive(Settings)]
//! struct Rules { #[setting(range = 1..)] text: String }
//! const SHAPE: settings::Shape = Rules::SHAPE;
//! ```
//!
//! ```compile_fail,E0080
//! # use smcp_policy_sdk::*;
//! #[derive(Settings)]
//! struct Rules { #[setting(length = 1..)] number: u8 }
//! const SHAPE: settings::Shape = Rules::SHAPE;
//! ```
//!
//! ```compile_fail,E0080
//! # use smcp_policy_sdk::*;
//! #[derive(Settings)]
//! struct Rules { maybe: Option<Option<bool>> }
//! const SHAPE: settings::Shape = Rules::SHAPE;
//! ```
//!
//! ```compile_fail,E0080
//! # use smcp_policy_sdk::*;
//! #[derive(Settings)]
//! struct Rules { map: std::collections::BTreeMap<u8, u8> }
//! const SHAPE: settings::Shape = Rules::SHAPE;
//! ```
//!
//! Settings that are not an object, and a name that the interface refuses:
//!
//! ```compile_fail,E0080
//! # use smcp_policy_sdk::*;
//! #[derive(Settings)]
//! struct Rules(u8);
//! impl Policy for Rules {
//!     const DESCRIPTION: Description = Description::new("rules", "0.1.0", "Does nothing.");
//!     fn evaluate(&self, _: &Request) -> Verdict { Verdict::allow() }
//! }
//! export!(Rules);
//! ```
//!
//! ```compile_fail,E0080
//! # use smcp_policy_sdk::*;
//! const DESCRIPTION: Description = Description::new("My_Rules", "0.1.0", "Does nothing.");
//! ```

use std::borrow::Cow;

use crate::json::Json;

/// The values that a setting may have. The derive and the types of this crate make shapes; authors only combine them.
#[derive(Debug, Clone, Copy)]
pub struct Shape {
    pub(crate) kind: Kind,
    /// Whether `null` is allowed, too.
    pub(crate) nullable: bool,
    /// One sentence or more for the person who writes the configuration.
    pub(crate) description: &'static str,
    pub(crate) rule: Option<Rule>,
}

#[derive(Debug, Clone, Copy)]
pub(crate) enum Kind {
    Bool,
    Integer { min: i64, max: i64 },
    Text { length: Length },
    Choice(&'static [Choice]),
    List { item: &'static Shape, length: Length },
    Map { key: &'static Shape, value: &'static Shape, length: Length },
    Object(&'static [Field]),
}

/// The number of characters, items or keys that is allowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Length {
    pub(crate) min: u32,
    pub(crate) max: u32,
}

impl Length {
    const ANY: Self = Self { min: 0, max: u32::MAX };
}

/// A rule of the author's own for a value of the right kind.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rule {
    /// Members of the JSON Schema, as JSON text; may be empty.
    pub(crate) keywords: &'static str,
    /// The allowed values, for the message about another one.
    pub(crate) check: fn(&Json<'_>) -> Result<(), Cow<'static, str>>,
}

/// One of the texts that are allowed.
#[derive(Debug, Clone, Copy)]
pub struct Choice {
    pub(crate) name: &'static str,
    pub(crate) description: &'static str,
}

impl Choice {
    /// A text and its meaning.
    #[doc(hidden)]
    pub const fn new(name: &'static str, description: &'static str) -> Self {
        Self { name, description }
    }
}

/// A key of an object.
#[derive(Debug, Clone, Copy)]
pub struct Field {
    pub(crate) name: &'static str,
    pub(crate) shape: Shape,
    /// The value of an absent key, as JSON; a key without a default is required.
    pub(crate) default: Option<&'static str>,
}

impl Field {
    /// A key. Its own description replaces that of its type.
    #[doc(hidden)]
    pub const fn new(
        name: &'static str,
        description: &'static str,
        shape: Shape,
        default: Option<&'static str>,
    ) -> Self {
        let default = match default {
            None if shape.nullable => Some("null"),
            default => default,
        };
        let shape = if description.is_empty() { shape } else { Shape { description, ..shape } };
        Self { name, shape, default }
    }
}

impl Shape {
    pub(crate) const fn of(kind: Kind) -> Self {
        Self { kind, nullable: false, description: "", rule: None }
    }

    pub(crate) const fn text() -> Self {
        Self::of(Kind::Text { length: Length::ANY })
    }

    pub(crate) const fn list(item: &'static Self) -> Self {
        Self::of(Kind::List { item, length: Length::ANY })
    }

    pub(crate) const fn map(key: &'static Self, value: &'static Self) -> Self {
        assert!(key.is_text() && !key.nullable, "the keys of a map are texts: `String`, choices, or checked texts");
        Self::of(Kind::Map { key, value, length: Length::ANY })
    }

    /// An object with these keys and no others.
    #[doc(hidden)]
    pub const fn object(description: &'static str, fields: &'static [Field]) -> Self {
        Self { description, ..Self::of(Kind::Object(fields)) }
    }

    /// One of these texts.
    #[doc(hidden)]
    pub const fn choices(description: &'static str, choices: &'static [Choice]) -> Self {
        Self { description, ..Self::of(Kind::Choice(choices)) }
    }

    /// The same value with another description, unless that is empty.
    #[doc(hidden)]
    pub const fn described(self, description: &'static str) -> Self {
        if description.is_empty() { self } else { Self { description, ..self } }
    }

    /// The same value, or `null`.
    pub(crate) const fn or_null(self) -> Self {
        assert!(!self.nullable, "an `Option` inside an `Option` has one `null` for two meanings");
        Self { nullable: true, ..self }
    }

    pub(crate) const fn with_rule(self, rule: Rule) -> Self {
        assert!(self.rule.is_none() && !self.nullable, "a checked value is made of one that has no rule of its own");
        Self { rule: Some(rule), ..self }
    }

    /// The same number within narrower bounds, both inclusive.
    ///
    /// # Panics
    /// At compile time, when it is not a number, or its type can't hold one of the bounds.
    #[doc(hidden)]
    pub const fn with_range(self, from: Option<i64>, to: Option<i64>) -> Self {
        let Kind::Integer { min, max } = self.kind else {
            panic_at_compile_time("`range` is for whole numbers");
        };
        let from = if let Some(from) = from { from } else { min };
        let to = if let Some(to) = to { to } else { max };
        assert!(from >= min && to <= max, "`range` goes beyond the type of the number");
        assert!(from <= to, "`range` has no number");
        Self { kind: Kind::Integer { min: from, max: to }, ..self }
    }

    /// The same text, list or map, with a number of characters, items or keys between two bounds, both inclusive.
    ///
    /// # Panics
    /// At compile time, when it is none of these.
    #[doc(hidden)]
    pub const fn with_length(self, min: u32, max: u32) -> Self {
        assert!(min <= max, "`length` has no number");
        let length = Length { min, max };
        let kind = match self.kind {
            Kind::Text { .. } => Kind::Text { length },
            Kind::List { item, .. } => Kind::List { item, length },
            Kind::Map { key, value, .. } => Kind::Map { key, value, length },
            Kind::Bool | Kind::Integer { .. } | Kind::Choice(_) | Kind::Object(_) => {
                panic_at_compile_time("`length` is for texts, lists and maps");
            }
        };
        Self { kind, ..self }
    }

    /// Whether this is an object with fixed keys, as the settings of a policy are.
    pub(crate) const fn is_object(&self) -> bool {
        matches!(self.kind, Kind::Object(_)) && !self.nullable
    }

    const fn is_text(&self) -> bool {
        matches!(self.kind, Kind::Text { .. } | Kind::Choice(_))
    }

    /// The position of a text among the choices.
    pub(crate) fn position(&self, text: &str) -> Option<usize> {
        let Kind::Choice(choices) = self.kind else { return None };
        choices.iter().position(|choice| choice.name == text)
    }
}

#[expect(clippy::panic, reason = "it is called in constants only, where it is an error of the compiler")]
const fn panic_at_compile_time(message: &'static str) -> ! {
    panic!("{}", message)
}
