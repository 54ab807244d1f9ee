//! Sizes as people write and read them.

use std::fmt;
use std::str::FromStr;

/// A number of bytes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct ByteSize(pub u64);

/// A text is not a size.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected a number of bytes with a unit, such as 500MiB, 2GiB or 0B")]
pub struct SizeError;

/// The units that are shown and read, largest first.
const UNITS: [(&str, u64); 4] = [("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10), ("B", 1)];
/// The decimal units, which are only read.
const DECIMAL: [(&str, u64); 3] = [("GB", 1_000_000_000), ("MB", 1_000_000), ("KB", 1_000)];

impl FromStr for ByteSize {
    type Err = SizeError;

    fn from_str(text: &str) -> Result<Self, SizeError> {
        let text = text.trim();
        let number = text.trim_end_matches(|character: char| character.is_ascii_alphabetic());
        let unit = text.strip_prefix(number).unwrap_or_default();
        let known = UNITS.iter().chain(&DECIMAL).find(|(name, _)| name.eq_ignore_ascii_case(unit));
        let count = number.trim_end().parse::<u64>().map_err(|_| SizeError)?;
        known.and_then(|(_, bytes)| count.checked_mul(*bytes)).map(Self).ok_or(SizeError)
    }
}

impl ByteSize {
    /// Returns the size as a configuration says it: a whole number of its largest unit, which reads back as the same.
    pub fn written(self) -> String {
        let Self(bytes) = self;
        let (name, unit) = UNITS.into_iter().find(|(_, unit)| bytes >= *unit && bytes % unit == 0).unwrap_or(("B", 1));
        format!("{}{name}", bytes / unit)
    }
}

impl fmt::Display for ByteSize {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(bytes) = *self;
        let text = match UNITS.iter().find(|(_, unit)| bytes >= *unit) {
            Some((name, unit)) if *unit > 1 => {
                // Tenths are cut, not rounded: the size shown is never larger than the real one.
                let tenths = u128::from(bytes) * 10 / u128::from(*unit);
                format!("{}.{} {name}", tenths / 10, tenths % 10)
            }
            Some(_) | None => format!("{bytes} B"),
        };
        f.pad(&text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read_with_their_units_alone() {
        let cases = [
            ("0B", Some(0)),
            ("17 b", Some(17)),
            ("500MiB", Some(500 << 20)),
            ("2gib", Some(2 << 30)),
            ("1KB", Some(1000)),
            (" 3 GB ", Some(3_000_000_000)),
            ("", None),
            ("500", None),
            ("MiB", None),
            ("-1MiB", None),
            ("1.5GiB", None),
            ("1TiB", None),
            ("99999999999GiB", None),
            ("1Mi B", None),
        ];
        for (text, expected) in cases {
            assert_eq!(text.parse().ok(), expected.map(ByteSize), "{text}");
        }
    }

    #[test]
    fn a_written_size_reads_back_as_the_same() {
        let cases = [(0, "0B"), (1, "1B"), (1024, "1KiB"), (1025, "1025B"), (3 << 29, "1536MiB"), (2 << 30, "2GiB")];
        for (bytes, expected) in cases {
            assert_eq!(ByteSize(bytes).written(), expected);
            assert_eq!(expected.parse(), Ok(ByteSize(bytes)));
        }
    }

    #[test]
    fn sizes_are_shown_in_their_largest_unit() {
        let cases = [(0, "0 B"), (1023, "1023 B"), (1024, "1.0 KiB"), (1_048_575, "1023.9 KiB"), (3 << 29, "1.5 GiB")];
        for (bytes, expected) in cases {
            assert_eq!(ByteSize(bytes).to_string(), expected);
        }
    }
}
