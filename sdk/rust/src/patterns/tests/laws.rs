//! Laws of patterns on generated texts.
//!
//! Schemas take what the types take, and the crate `semver` agrees about versions.

use std::sync::LazyLock;

use proptest::prelude::*;
use regex::Regex;
use serde_json::Value;

use crate::patterns::HostPattern;
use crate::patterns::PackagePattern;
use crate::patterns::PathPattern;
use crate::patterns::VersionRange;
use crate::settings::CheckedSetting;
use crate::time::Date;

/// The part of a setting's JSON Schema that its texts have to fit.
struct Schema {
    pattern: Regex,
    max_length: Option<u64>,
}

impl Schema {
    fn of<T: CheckedSetting>() -> Self {
        let keywords: Value = serde_json::from_str(&format!("{{{}}}", T::KEYWORDS)).unwrap();
        let max_length = keywords.get("maxLength").and_then(Value::as_u64);
        Self { pattern: Regex::new(keywords["pattern"].as_str().unwrap()).unwrap(), max_length }
    }

    fn takes(&self, text: &str) -> bool {
        self.max_length.is_none_or(|max| text.chars().count() as u64 <= max) && self.pattern.is_match(text)
    }
}

static SCHEMAS: LazyLock<[Schema; 5]> = LazyLock::new(|| {
    [
        Schema::of::<HostPattern>(),
        Schema::of::<PackagePattern>(),
        Schema::of::<PathPattern>(),
        Schema::of::<VersionRange>(),
        Schema::of::<Date>(),
    ]
});

/// Texts out of parts that patterns are made of.
fn texts(parts: &'static [&'static str]) -> impl Strategy<Value = String> {
    prop_oneof![
        9 => prop::collection::vec(prop::sample::select(parts), 0..9).prop_map(|parts| parts.concat()),
        1 => "\\PC{0,12}",
    ]
}

const HOSTS: &[&str] = &[
    "*", "*.", "a", "B-c", "-", ".", "com", "1", "0", "255", "256", "[", "]", ":", "::", "db8:", "1:", "f", "80",
    ":443", "65535", "65536", "xn--a", "é", "/", "@", " ",
];
const PACKAGES: &[&str] = &["*", "/", "a", "Z9", ".", "_", "-", "@", " ", "é"];
const PATHS: &[&str] = &["/", "~", ".", "..", "a", "*", "\\", "$", "{", "[", " ", "é", "\n", "\u{7f}"];
const VERSIONS: &[&str] = &[
    ">=", "<=", ">", "<", "=", "^", "~", " ", ", ", ",", "0", "1", "20", "1.2.3", "0.0.1", ".", "-", "-a.1", "-01",
    "x", "+b",
];
const DATES: &[&str] = &["19", "20", "69", "72", "00", "24", "-", "-02-29", "-01", "-12", "31", "-30", "9999", "0"];

/// Addresses, right ones and nearly right ones.
fn addresses() -> impl Strategy<Value = String> {
    let octet =
        prop::sample::select(vec!["0", "1", "9", "10", "99", "100", "199", "200", "249", "250", "255", "256", "01"]);
    let v4 = prop::collection::vec(octet, 3..6).prop_map(|octets| octets.join("."));
    let group = prop_oneof![40 => prop::sample::select(vec!["0", "1", "db8", "FFFF", "0f0"]), 1 => Just("12345"), 1 => Just("g")];
    let groups = |most| prop::collection::vec(group.clone(), 0..=most).prop_map(|groups| groups.join(":"));
    let v6 = prop_oneof![
        groups(9),
        (groups(5), groups(5)).prop_map(|(one, two)| format!("{one}::{two}")),
        (groups(8), Just("::")).prop_map(|(one, two)| format!("{one}{two}")),
        (groups(8), Just("::")).prop_map(|(one, two)| format!("{two}{one}")),
    ];
    let address = prop_oneof![v4, v6.prop_map(|groups| format!("[{groups}]"))];
    let port = prop::sample::select(vec!["", "", ":80", ":*", ":65535", ":65536", ":59999", ":6000", ":0"]);
    (address, port).prop_map(|(address, port)| format!("{address}{port}"))
}

fn version_text() -> impl Strategy<Value = String> {
    let pre = prop_oneof![3 => Just(String::new()), 2 => "-(0|1|10|a|b-1|alpha)(\\.(0|2|11|a|Z))?"];
    (0_u8..3, 0_u8..3, 0_u8..3, pre).prop_map(|(major, minor, patch, pre)| format!("{major}.{minor}.{patch}{pre}"))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4000, failure_persistence: None, ..ProptestConfig::default() })]

    /// The law of settings for these types: the schema takes what they take.
    #[test]
    fn the_schema_takes_the_same_texts(
        host in texts(HOSTS), address in addresses(), package in texts(PACKAGES), path in texts(PATHS), range in texts(VERSIONS),
        date in texts(DATES), day in "[12][09][0-9]{2}-[01][0-9]-[0-3][0-9]", leap in "[12][09][0-9]{2}-02-29",
    ) {
        let [hosts, packages, paths, ranges, dates] = &*SCHEMAS;
        for host in [host, address] {
            prop_assert_eq!(hosts.takes(&host), HostPattern::new(&host).is_some(), "{}", host);
        }
        prop_assert_eq!(packages.takes(&package), PackagePattern::new(&package).is_some(), "{}", package);
        prop_assert_eq!(paths.takes(&path), PathPattern::new(&path).is_some(), "{}", path);
        prop_assert_eq!(ranges.takes(&range), VersionRange::new(&range).is_some(), "{}", range);
        for date in [date, day, leap] {
            prop_assert_eq!(dates.takes(&date), Date::parse(&date).is_some(), "{}", date);
        }
    }

    /// A pattern covers itself, and what it covers it covers in other letters; none panics on anything.
    #[test]
    fn covering_is_reflexive_and_total(pattern in texts(HOSTS), path in texts(PATHS), asked in texts(HOSTS), other in texts(PATHS)) {
        if let Some(host) = HostPattern::new(&pattern) {
            prop_assert!(host.covers(&pattern));
            prop_assert_eq!(host.covers(&asked), host.covers(&asked.to_ascii_uppercase()));
        }
        if let Some(covering) = PathPattern::new(&path) {
            prop_assert!(covering.covers(&path));
            // What is covered has the pattern's own parts in front, as the file system would read them.
            if covering.covers(&other) && path != "*" {
                prop_assert!(std::path::Path::new(&other).starts_with(&path), "{} covers {}", path, other);
            }
        }
        for text in [&pattern, &path, &asked, &other] {
            let _total = (HostPattern::new(text), PackagePattern::new(text), PathPattern::new(text), VersionRange::new(text));
        }
    }

    /// Covering is transitive: what an asked pattern covers is covered by the pattern that covers it.
    #[test]
    fn a_covered_pattern_covers_no_more(one in texts(HOSTS), two in texts(HOSTS), three in texts(HOSTS)) {
        if let (Some(one), Some(two)) = (HostPattern::new(&one), HostPattern::new(&two))
            && one.covers(two.as_str()) && two.covers(&three)
        {
            prop_assert!(one.covers(&three), "{} {} {}", one.as_str(), two.as_str(), three);
        }
    }

    /// The crate `semver` says the same of every range and version that both read.
    #[test]
    fn ranges_are_those_of_semver(
        ranges in prop::collection::vec((prop::sample::select(vec![">=", "<=", ">", "<", "=", "^", "~"]), version_text()), 1..4),
        version in version_text(),
    ) {
        let text = ranges.iter().map(|(operator, version)| format!("{operator}{version}")).collect::<Vec<_>>().join(", ");
        let (Some(ours), Ok(theirs)) = (VersionRange::new(&text), semver::VersionReq::parse(&text)) else {
            return Err(TestCaseError::fail(text));
        };
        let parsed = semver::Version::parse(&version).unwrap();
        prop_assert_eq!(ours.contains(&version), theirs.matches(&parsed), "{} {}", text, version);
    }

    #[test]
    fn versions_are_those_of_semver(text in texts(VERSIONS)) {
        let any = [">=0.0.0-0", "=1.2.3", ">=1.2.3-a.1"];
        for range in any {
            let ours = VersionRange::new(range).unwrap().contains(&text);
            let theirs = semver::Version::parse(&text).is_ok_and(|version| semver::VersionReq::parse(range).unwrap().matches(&version));
            prop_assert_eq!(ours, theirs, "{} {}", range, text);
        }
    }
}
