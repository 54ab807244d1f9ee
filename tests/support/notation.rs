//! What the texts of `tests/hostile` say besides the forms of WebAssembly.
//!
//! - `(@repeat 3 #i FORMS)` stands for its forms three times, with 0, 1 and 2 in place of `#i`.
//! - `(@world "OURS" "THEIRS")` changes one place of `wit/policy.wit`.
//! - `(@strings utf16)` and `(@strings latin1+utf16)` say in which encoding the guest has its strings.
//! - `(@whole (component …))` is the policy, and nothing of the honest twin is left.

use wit_component::StringEncoding;

/// A form that is not one of WebAssembly.
pub(super) enum Note<'t> {
    World { ours: &'t str, theirs: &'t str },
    Strings(StringEncoding),
    Whole(&'t str),
}

impl<'t> Note<'t> {
    /// Reads a form; `None` for one of WebAssembly.
    pub(super) fn of(form: &'t str) -> Option<Self> {
        let (name, rest) = form.strip_prefix("(@")?.strip_suffix(')').unwrap().split_once(' ').unwrap();
        Some(match name {
            "world" => {
                let quoted: Vec<_> = rest.split('"').collect();
                let [_, ours, _, theirs, _] = quoted.as_slice() else { panic!("two texts: {form}") };
                Self::World { ours, theirs }
            }
            "strings" => match rest {
                "utf16" => Self::Strings(StringEncoding::UTF16),
                "latin1+utf16" => Self::Strings(StringEncoding::CompactUTF16),
                other => panic!("no encoding: {other}"),
            },
            "whole" => Self::Whole(rest),
            other => panic!("no notation: {other}"),
        })
    }
}

/// The text with every repetition written out.
pub(super) fn repeated(text: &str) -> String {
    const BEGIN: &str = "(@repeat ";
    let Some((before, rest)) = text.split_once(BEGIN) else { return text.to_owned() };
    let mut depth = 1_usize;
    let end = rest.find(|character| {
        match character {
            '(' => depth += 1,
            ')' => depth -= 1,
            _ => {}
        }
        depth == 0
    });
    let (inside, after) = rest.split_at(end.expect("a repetition has an end"));
    let mut words = inside.splitn(3, char::is_whitespace);
    let (times, number, body) = (words.next().unwrap(), words.next().unwrap(), words.next().unwrap());
    let times: usize = times.parse().expect("a repetition begins with a number");
    let bodies: Vec<_> = (0..times).map(|time| repeated(&body.replace(number, &time.to_string()))).collect();
    format!("{before}{}{}", bodies.join(" "), repeated(&after[1..]))
}

/// The forms of a text, one after the other, without the comments between them.
pub(super) fn forms(text: &str) -> Vec<String> {
    let mut forms = Vec::new();
    let (mut depth, mut begin) = (0_usize, 0);
    let mut characters = text.char_indices();
    while let Some((place, character)) = characters.next() {
        match character {
            ';' => _ = characters.by_ref().find(|(_, other)| *other == '\n'),
            '"' => {
                while let Some((_, inside)) = characters.next().filter(|(_, inside)| *inside != '"') {
                    if inside == '\\' {
                        characters.next();
                    }
                }
            }
            '(' => {
                if depth == 0 {
                    begin = place;
                }
                depth += 1;
            }
            ')' => {
                depth = depth.checked_sub(1).expect("a parenthesis is closed that was not opened");
                if depth == 0 {
                    forms.push(text[begin..=place].to_owned());
                }
            }
            _ => {}
        }
    }
    assert_eq!(depth, 0, "a parenthesis is not closed");
    forms
}
