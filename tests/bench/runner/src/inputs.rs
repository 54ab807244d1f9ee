//! The inputs: facts documents, drawn from a fixed seed.

use serde_json::Map;
use serde_json::Value;

use crate::random::Random;

/// How many there are.
pub(crate) const COUNT: usize = 2_000;
const SEED: u64 = 12;

/// Origins that may run, in forms that have to mean the same: any case, spaces around.
const ALLOWED: [&str; 6] = ["official", "verified", "Official", "VERIFIED", " verified ", "\tOfFiCiAl\n"];
/// Those that may not, and words that look like one that may.
const OTHERS: [&str; 10] = [
    "community",
    "Community",
    "partner",
    "verified2",
    "un verified",
    "official,verified",
    "ﬁcial",
    "vérifié",
    "",
    "  ",
];
/// Scores around every bound; the rest is drawn from all.
const SCORES: [u8; 14] = [0, 1, 59, 60, 61, 69, 70, 71, 79, 80, 81, 89, 90, 100];

/// Returns the documents, each on one line. Absent and null facts are unknown.
pub(crate) fn documents() -> Vec<String> {
    let mut random = Random::new(SEED);
    (0..COUNT).map(|_| Value::Object(document(&mut random)).to_string()).collect()
}

/// Returns a catalogue of so many packages, each with such a document.
pub(crate) fn catalogue(count: usize) -> Vec<String> {
    let mut random = Random::new(SEED);
    let mut package = |number| {
        let mut facts = document(&mut random);
        facts.insert("name".to_owned(), format!("bench/package-{number}").into());
        facts.insert("version".to_owned(), "1.0.0".into());
        Value::Object(facts).to_string()
    };
    (0..count).map(&mut package).collect()
}

fn document(random: &mut Random) -> Map<String, Value> {
    let origin = if random.below(10) < 8 { random.pick(&ALLOWED, &"") } else { random.pick(&OTHERS, &"") };
    let level = random.pick(&[2, 3, 2, 3, 2, 3, 1, 0], &2);
    let score = match random.below(4) {
        0 => *random.pick(&SCORES, &0),
        1 => u8::try_from(random.below(101)).unwrap_or_default(),
        _ => 80 + u8::try_from(random.below(21)).unwrap_or_default(),
    };
    let mut facts = Map::new();
    for (name, fact) in [("origin", Value::from(*origin)), ("cert_level", (*level).into()), ("score", score.into())] {
        match random.below(24) {
            0 => {}
            1 => drop(facts.insert(name.to_owned(), Value::Null)),
            _ => drop(facts.insert(name.to_owned(), fact)),
        }
    }
    facts.insert("status".to_owned(), "published".into());
    facts
}
