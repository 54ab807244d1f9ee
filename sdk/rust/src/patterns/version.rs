//! Ranges of versions, by SemVer 2.0.
//!
//! Our own code, because the crate `semver` makes a component 18 KB larger; the tests compare the two.

use std::borrow::Cow;
use std::cmp::Ordering;

use crate::settings::CheckedSetting;

/// The most digits of a number of a version: a `u64` can hold it.
const MAX_DIGITS: usize = 18;

/// Versions, as a setting: `>=1.2.0`, `>=1.2.0, <2.0.0`, `^1.2.0`, `~1.2.0`, `=1.2.0`; a version has to fit all parts.
///
/// Each part has an operator and all three numbers, because `1.2` and a bare `1.2.0` mean different things to different
/// tools. `^1.2.0` ends before the next incompatible version (2.0.0; for `^0.2.3` it is 0.3.0), `~1.2.0` before 1.3.0.
/// Build metadata is ignored in a version, and refused in a range.
///
/// **Pre-releases.** `2.0.0-beta.1` is below 2.0.0, and its author promises nothing about it. So a range has a
/// pre-release only if one of its parts names a pre-release of the same three numbers, as `>=2.0.0-alpha` does:
/// `>=1.2.0` has neither
/// `1.2.0-rc.1` nor `3.0.0-rc.1`, and `<2.0.0` has neither. A version outside a range of bad ones is therefore not
/// good.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VersionRange {
    parts: Vec<Part>, // INVARIANT: of the text, and made by `new` only.
    written: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Part {
    operator: Operator,
    numbers: [u64; 3],
    pre_release: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Operator {
    Exactly,
    AtLeast,
    Above,
    AtMost,
    Below,
    Compatible,
    Patches,
}

/// The longer ones first, because the first one that the text begins with is taken.
const OPERATORS: [(&str, Operator); 7] = [
    (">=", Operator::AtLeast),
    ("<=", Operator::AtMost),
    (">", Operator::Above),
    ("<", Operator::Below),
    ("=", Operator::Exactly),
    ("^", Operator::Compatible),
    ("~", Operator::Patches),
];

impl VersionRange {
    /// Reads a range; `None` for any other text.
    pub fn new(written: &str) -> Option<Self> {
        let mut parts = Vec::new();
        for (index, text) in written.split(',').enumerate() {
            // One space is allowed after a comma and after an operator.
            let text = if index == 0 { text } else { text.strip_prefix(' ').unwrap_or(text) };
            let (rest, operator) =
                OPERATORS.iter().find_map(|(sign, operator)| Some((text.strip_prefix(sign)?, *operator)))?;
            let (numbers, pre_release) = version(rest.strip_prefix(' ').unwrap_or(rest))?;
            parts.push(Part { operator, numbers, pre_release: pre_release.to_owned() });
        }
        Some(Self { parts, written: written.to_owned() })
    }

    /// The range as it was written.
    pub fn as_str(&self) -> &str {
        &self.written
    }

    /// Whether a version is in the range. A text that is not a SemVer version, such as `1.2` or `v1.2.0`, never is.
    pub fn contains(&self, text: &str) -> bool {
        let (core, build) = text.split_once('+').map_or((text, None), |(core, build)| (core, Some(build)));
        let is_build = build.is_none_or(|build| build.split('.').all(is_identifier));
        let Some((numbers, pre_release)) = version(core).filter(|_| is_build) else { return false };
        let is_named = |part: &Part| part.numbers == numbers && !part.pre_release.is_empty();
        self.parts.iter().all(|part| part.holds(numbers, pre_release))
            && (pre_release.is_empty() || self.parts.iter().any(is_named))
    }
}

impl Part {
    fn holds(&self, numbers: [u64; 3], pre_release: &str) -> bool {
        let order = numbers.cmp(&self.numbers).then_with(|| compare_pre_releases(pre_release, &self.pre_release));
        let [major, minor, patch] = numbers;
        let [own_major, own_minor, own_patch] = self.numbers;
        match self.operator {
            Operator::Exactly => order.is_eq(),
            Operator::AtLeast => order.is_ge(),
            Operator::Above => order.is_gt(),
            Operator::AtMost => order.is_le(),
            Operator::Below => order.is_lt(),
            Operator::Patches => order.is_ge() && (major, minor) == (own_major, own_minor),
            // The first number that is not zero stays the same, and so do those before it.
            Operator::Compatible => {
                let stays = match (own_major, own_minor) {
                    (0, 0) => (major, minor, patch) == (0, 0, own_patch),
                    (0, _) => (major, minor) == (0, own_minor),
                    _ => major == own_major,
                };
                order.is_ge() && stays
            }
        }
    }
}

/// Reads the three numbers and the pre-release, which may be empty.
fn version(text: &str) -> Option<([u64; 3], &str)> {
    let (core, pre_release) = text.split_once('-').map_or((text, None), |(core, rest)| (core, Some(rest)));
    let is_pre_release = |text: &str| text.split('.').all(|part| is_identifier(part) && !has_needless_zero(part));
    if !pre_release.is_none_or(is_pre_release) {
        return None;
    }
    let mut numbers = core.split('.').map(number);
    let version = [numbers.next()??, numbers.next()??, numbers.next()??];
    numbers.next().is_none().then_some((version, pre_release.unwrap_or_default()))
}

fn number(text: &str) -> Option<u64> {
    let is_number = is_numeric(text) && text.len() <= MAX_DIGITS && !has_needless_zero(text);
    if is_number { text.parse().ok() } else { None }
}

fn is_identifier(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}

fn is_numeric(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

fn has_needless_zero(text: &str) -> bool {
    is_numeric(text) && text.len() > 1 && text.starts_with('0')
}

/// Compares pre-releases by clause 11 of SemVer: none is above any, a number is below a word, more parts are above
/// fewer.
fn compare_pre_releases(one: &str, other: &str) -> Ordering {
    if one.is_empty() || other.is_empty() {
        return other.len().min(1).cmp(&one.len().min(1));
    }
    let (mut ones, mut others) = (one.split('.'), other.split('.'));
    loop {
        let (one, other) = match (ones.next(), others.next()) {
            (None, None) => return Ordering::Equal,
            (None, Some(_)) => return Ordering::Less,
            (Some(_), None) => return Ordering::Greater,
            (Some(one), Some(other)) => (one, other),
        };
        let order = match (is_numeric(one), is_numeric(other)) {
            // Without needless zeros, the longer number is the larger one.
            (true, true) => one.len().cmp(&other.len()).then_with(|| one.cmp(other)),
            (true, false) => Ordering::Less,
            (false, true) => Ordering::Greater,
            (false, false) => one.cmp(other),
        };
        if order.is_ne() {
            return order;
        }
    }
}

impl CheckedSetting for VersionRange {
    type Written = String;
    const KEYWORDS: &'static str = concat!(
        r#""pattern":"^(>=|<=|>|<|=|\\^|~) ?(0|[1-9][0-9]{0,17})(\\.(0|[1-9][0-9]{0,17})){2}"#,
        r"(-(0|[1-9][0-9]*|[0-9]*[A-Za-z-][0-9A-Za-z-]*)(\\.(0|[1-9][0-9]*|[0-9]*[A-Za-z-][0-9A-Za-z-]*))*)?",
        r"(, ?(>=|<=|>|<|=|\\^|~) ?(0|[1-9][0-9]{0,17})(\\.(0|[1-9][0-9]{0,17})){2}",
        r"(-(0|[1-9][0-9]*|[0-9]*[A-Za-z-][0-9A-Za-z-]*)(\\.(0|[1-9][0-9]*|[0-9]*[A-Za-z-][0-9A-Za-z-]*))*)?)*$",
        r#"""#
    );

    fn check(written: String) -> Result<Self, Cow<'static, str>> {
        Self::new(&written).ok_or_else(|| {
            "a range of versions like `>=1.2.0`, `>=1.2.0, <2.0.0` or `^1.2.0`, each with an operator and three numbers"
                .into()
        })
    }
}
