//! The law: a document is valid by the schema if and only if it is taken.
//!
//! The inputs come from the schema: mostly what it allows, with something else here and there. Numbers that are whole are
//! written without a fraction, as JSON Schema asks for (section 6.3 of its core): `80.0` is refused by the check.

use std::borrow::Cow;
use std::cell::Cell;
use std::collections::BTreeMap;

use proptest::prelude::*;
use proptest::sample::Index;
use proptest::test_runner::Config;
use proptest::test_runner::TestRunner;
use serde_json::Map;
use serde_json::Value;

use super::Kind;
use super::Nothing;
use super::Rule;
use super::Sample;
use super::Team;
use super::schema_of;
use super::validator::is_valid;
use crate::Settings;
use crate::json::tests::any_json;
use crate::settings::CheckedSetting;
use crate::settings::decode;

#[derive(Debug, Settings)]
struct Integers {
    _a: u8,
    _b: i8,
    _c: u16,
    _d: i16,
    _e: u32,
    _f: i32,
    _g: u64,
    _h: i64,
    #[setting(range = ..=-1)]
    _i: i64,
    #[setting(range = 5..=5)]
    _j: u8,
}

#[derive(Debug, Settings)]
struct Texts {
    #[setting(length = 2..)]
    _a: String,
    #[setting(length = ..=2)]
    _b: String,
    #[setting(default = null, length = 1..=4)]
    _c: Option<String>,
    _d: Option<Team>,
    _e: Team,
}

#[derive(Debug, Settings)]
struct Lists {
    #[setting(length = 1..=2)]
    _a: Vec<Vec<Kind>>,
    _b: Vec<Option<bool>>,
    #[setting(default = [2, 4])]
    _c: Option<Vec<Even>>,
}

#[derive(Debug, Settings)]
struct Maps {
    #[setting(length = 1..=2)]
    _a: BTreeMap<Kind2, Option<u8>>,
    _b: BTreeMap<Team, BTreeMap<String, Kind>>,
    _c: Option<BTreeMap<String, Rule>>,
}

#[derive(Debug, PartialEq, Eq, PartialOrd, Ord, Settings)]
enum Kind2 {
    A,
    /// With a meaning.
    B,
}

#[derive(Debug, Settings)]
struct Deep {
    _kind: Option<Kind>,
    _next: Option<Deeper>,
}

#[derive(Debug, Settings)]
struct Deeper {
    _texts: Option<Texts>,
    #[setting(default = [])]
    _maps: Vec<Maps>,
}

/// A number with a rule of its own.
#[derive(Debug)]
struct Even;

impl CheckedSetting for Even {
    type Written = i16;
    const KEYWORDS: &'static str = r#""multipleOf":2"#;

    fn check(written: i16) -> Result<Self, Cow<'static, str>> {
        if written % 2 == 0 { Ok(Self) } else { Err("an even number".into()) }
    }
}

/// A struct with a rule of its own.
#[derive(Debug)]
struct NotBoth;

impl CheckedSetting for NotBoth {
    type Written = Both;
    const KEYWORDS: &'static str =
        r#""not":{"properties":{"a":{"type":"string"},"b":{"type":"string"}},"required":["a","b"]}"#;

    fn check(written: Both) -> Result<Self, Cow<'static, str>> {
        if written.a.is_some() && written.b.is_some() { Err("`a` or `b`".into()) } else { Ok(Self) }
    }
}

#[derive(Debug, Settings)]
struct Both {
    a: Option<Kind2>,
    b: Option<Kind2>,
}

#[derive(Debug, Settings)]
struct Choosing {
    #[setting(name = "what/else~", default = null)]
    _either: Option<Kind2>,
    #[setting(length = ..=3)]
    _rules: Vec<Rule>,
}

/// Documents that are about as often taken as refused.
fn documents(schema: Value, rare: usize) -> impl Strategy<Value = Value> {
    (prop::collection::vec(any::<Index>(), 64), prop::collection::vec(any_json(), 4), 1..=rare).prop_map(
        move |(choices, others, rare)| {
            let draw = Draw { choices, others, rare: rare + 1, next: Cell::new(0) };
            draw.value(&schema)
        },
    )
}

/// Draws what a schema allows, and every now and then something else.
struct Draw {
    choices: Vec<Index>,
    others: Vec<Value>,
    /// One of so many values is none that the schema asks for.
    rare: usize,
    next: Cell<usize>,
}

impl Draw {
    fn below(&self, bound: usize) -> usize {
        let next = self.next.get();
        self.next.set(next + 1);
        // Drawn again in another order when a document takes more than there is.
        let index = self.choices[next % self.choices.len()].index(usize::MAX);
        index.rotate_left((next / self.choices.len()) as u32 * 7) % bound
    }

    fn is_odd(&self) -> bool {
        self.below(self.rare) == 0
    }

    fn value(&self, schema: &Value) -> Value {
        if self.is_odd() {
            return self.others[self.below(self.others.len())].clone();
        }
        if let Some(choices) = schema.get("oneOf").and_then(Value::as_array) {
            return choices[self.below(choices.len())]["const"].clone();
        }
        let kinds = schema["type"].as_array().cloned().unwrap_or_else(|| vec![schema["type"].clone()]);
        match kinds[self.below(kinds.len())].as_str().unwrap() {
            "null" => Value::Null,
            "boolean" => Value::from(self.below(2) == 0),
            "integer" => self.integer(schema),
            "string" => self.text(schema),
            "array" => {
                let count = self.count(schema, "Items");
                (0..count).map(|_| self.value(&schema["items"])).collect()
            }
            "object" => self.object(schema),
            other => panic!("{other}"),
        }
    }

    /// At its bounds, beside them, and between.
    fn integer(&self, schema: &Value) -> Value {
        let (min, max) = (schema["minimum"].as_i64().unwrap(), schema["maximum"].as_i64().unwrap());
        if self.is_odd() {
            let beyond = [min.saturating_sub(1), max.saturating_add(1), i64::MIN, i64::MAX];
            let beyond =
                beyond.map(Value::from).into_iter().chain([u64::MAX.into(), (max as u64).wrapping_add(1).into()]);
            return beyond.collect::<Vec<_>>()[self.below(6)].clone();
        }
        Value::from([min, max, min / 2 + max / 2, 2.clamp(min, max)][self.below(4)])
    }

    fn text(&self, schema: &Value) -> Value {
        let letters = ["a", "b", "é", "🦀", "A", "-"];
        let letters = if schema.get("pattern").is_some() && !self.is_odd() { &letters[..2] } else { &letters };
        (0..self.count(schema, "Length")).map(|_| letters[self.below(letters.len())]).collect::<String>().into()
    }

    fn count(&self, schema: &Value, noun: &str) -> usize {
        let bound = |which: &str| schema.get(format!("{which}{noun}")).and_then(Value::as_u64);
        let (min, max) = (bound("min").unwrap_or(0) as usize, bound("max").unwrap_or(3) as usize);
        let max = max.max(min);
        match self.is_odd() {
            true => [min.saturating_sub(1), max + 1][self.below(2)],
            false => min + self.below(max - min + 1),
        }
    }

    fn object(&self, schema: &Value) -> Value {
        let mut object = Map::new();
        let Some(properties) = schema.get("properties").and_then(Value::as_object) else {
            for _ in 0..self.count(schema, "Properties") {
                let Value::String(key) = self.value(&schema["propertyNames"]) else { continue };
                object.insert(key, self.value(&schema["additionalProperties"]));
            }
            return Value::Object(object);
        };
        let required = schema["required"].as_array().unwrap();
        for (key, property) in properties {
            let is_required = required.contains(&Value::from(key.as_str()));
            if if is_required { !self.is_odd() } else { self.below(2) == 0 } {
                object.insert(key.clone(), self.value(property));
            }
        }
        if self.is_odd() {
            object.insert("unknown".to_owned(), Value::Null);
        }
        Value::Object(object)
    }
}

/// Holds a type to the law, and both answers to a share of the inputs: one value in `rare` at most is an odd one.
fn holds<T: Settings>(rare: usize) {
    let schema = schema_of::<T>();
    let (taken, refused) = (Cell::new(0), Cell::new(0));
    let config = Config { cases: 600, failure_persistence: None, ..Config::default() };
    let name = std::any::type_name::<T>();
    TestRunner::new(config)
        .run(&documents(schema.clone(), rare), |document| {
            let found = decode::<T>(&document.to_string());
            let count = if found.is_ok() { &taken } else { &refused };
            count.set(count.get() + 1);
            prop_assert_eq!(is_valid(&schema, &document), found.is_ok(), "{} {}: {:?}", name, document, found.err());
            for problem in found.err().into_iter().flatten() {
                let is_there = document.pointer(&problem.path).is_some();
                prop_assert!(is_there, "{} points out of {}", problem.path, document);
            }
            Ok(())
        })
        .unwrap_or_else(|failed| panic!("{failed}"));
    assert!(taken.get() > 40 && refused.get() > 40, "{name}: {} taken, {} refused", taken.get(), refused.get());
}

#[test]
fn a_document_is_valid_by_the_schema_if_and_only_if_it_is_taken() {
    holds::<Sample>(100);
    holds::<Integers>(100);
    holds::<Texts>(50);
    holds::<Lists>(100);
    holds::<Maps>(100);
    holds::<Deep>(200);
    holds::<Choosing>(50);
    holds::<Rule>(10);
    holds::<Nothing>(10);
    holds::<Kind>(4);
    holds::<Option<u8>>(4);
    holds::<Vec<NotBoth>>(50);
}
