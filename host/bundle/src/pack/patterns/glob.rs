//! A pattern for one name of a path.

/// A pattern for a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Glob(Vec<GlobToken>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum GlobToken {
    One(char),
    Any,
    Many,
    /// A character in one of these ranges; if `inverted`, in none of them.
    Class {
        ranges: Vec<(char, char)>,
        inverted: bool,
    },
}

impl Glob {
    /// Reads a pattern that has no slash.
    pub(super) fn new(text: &str) -> Result<Self, &'static str> {
        let mut tokens = Vec::new();
        let mut characters = text.chars();
        while let Some(character) = characters.next() {
            tokens.push(match character {
                '*' => GlobToken::Many,
                '?' => GlobToken::Any,
                '[' => class(&mut characters)?,
                '\\' => GlobToken::One(characters.next().ok_or("nothing follows its last `\\`")?),
                other => GlobToken::One(other),
            });
        }
        tokens.dedup_by(|one, other| *one == GlobToken::Many && *other == GlobToken::Many);
        Ok(Self(tokens))
    }

    /// Whether the pattern fits a name. The time is at most the product of both lengths.
    pub(super) fn fits(&self, name: &str) -> bool {
        let name: Vec<char> = name.chars().collect();
        let (mut token, mut character) = (0, 0);
        // The position of the last `*`, and of the first character after those that it has taken.
        let mut star: Option<(usize, usize)> = None;
        while character < name.len() {
            match (self.0.get(token), name.get(character)) {
                (Some(GlobToken::Many), _) => {
                    star = Some((token, character));
                    token += 1;
                }
                (Some(one), Some(found)) if one.is(*found) => {
                    token += 1;
                    character += 1;
                }
                (Some(_) | None, _) => {
                    let Some((at, swallowed)) = star else { return false };
                    star = Some((at, swallowed + 1));
                    (token, character) = (at + 1, swallowed + 1);
                }
            }
        }
        self.0.iter().skip(token).all(|rest| *rest == GlobToken::Many)
    }
}

impl GlobToken {
    fn is(&self, found: char) -> bool {
        match self {
            Self::One(wanted) => *wanted == found,
            Self::Any => true,
            Self::Many => false,
            Self::Class { ranges, inverted } => {
                ranges.iter().any(|(first, last)| (*first..=*last).contains(&found)) != *inverted
            }
        }
    }
}

/// Reads a class of characters in brackets, after the opening one.
fn class(characters: &mut std::str::Chars<'_>) -> Result<GlobToken, &'static str> {
    const OPEN: &str = "a `[` has no `]`";
    let mut ranges = Vec::new();
    let mut next = characters.next().ok_or(OPEN)?;
    let inverted = matches!(next, '!' | '^');
    if inverted {
        next = characters.next().ok_or(OPEN)?;
    }
    loop {
        // A bracket that comes first is literal.
        if next == ']' && !ranges.is_empty() {
            return Ok(GlobToken::Class { ranges, inverted });
        }
        let first = if next == '\\' { characters.next().ok_or(OPEN)? } else { next };
        next = characters.next().ok_or(OPEN)?;
        let mut last = first;
        if next == '-' {
            let end = characters.next().ok_or(OPEN)?;
            if end == ']' {
                ranges.extend([(first, first), ('-', '-')]);
                return Ok(GlobToken::Class { ranges, inverted });
            }
            last = if end == '\\' { characters.next().ok_or(OPEN)? } else { end };
            if last < first {
                return Err("a range in `[…]` ends before it begins");
            }
            next = characters.next().ok_or(OPEN)?;
        }
        ranges.push((first, last));
    }
}
