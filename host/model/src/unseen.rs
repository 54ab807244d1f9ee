//! Recognises invisible characters by the tables of Unicode.
//!
//! A list of our own would never be complete, and a character that it misses can hide text from people that programs
//! and models read. docs/decisions/0023 has the reasons.

/// Ranges of characters, both ends included, in order; our build script writes them.
static UNSEEN: &[(char, char)] = include!(concat!(env!("OUT_DIR"), "/unseen.in"));

/// Whether a character is invisible, moves the cursor, or changes the direction of text.
pub fn is_unseen(character: char) -> bool {
    // Most text is printable ASCII.
    if (' '..='~').contains(&character) {
        return false;
    }
    let position = UNSEEN.partition_point(|(_, last)| *last < character);
    UNSEEN.get(position).is_some_and(|(first, _)| *first <= character)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use regex_syntax::hir::Class;
    use regex_syntax::hir::HirKind;
    use unicode_width::UnicodeWidthChar as _;

    use super::*;

    fn all() -> impl Iterator<Item = char> {
        '\0'..=char::MAX
    }

    /// The characters of a class in the syntax of regular expressions.
    fn of(class: &str) -> BTreeSet<char> {
        let parsed = regex_syntax::parse(class).unwrap();
        let HirKind::Class(Class::Unicode(class)) = parsed.kind() else { panic!("{parsed:?}") };
        class.iter().flat_map(|range| range.start()..=range.end()).collect()
    }

    /// Compares every code point with each property by its name.
    #[test]
    fn exactly_the_characters_with_one_of_the_properties_are_unseen() {
        let properties = [
            r"[\p{Cc}]",
            r"[\p{Cf}]",
            r"[\p{Co}]",
            r"[\p{Cn}]",
            r"[\p{Zl}\p{Zp}]",
            r"[\p{Default_Ignorable_Code_Point}]",
            r"[\u{2800}\u{13441}\u{13442}\u{16FE4}\u{1D159}]",
        ];
        let unseen: BTreeSet<char> = properties.iter().flat_map(|class| of(class)).collect();
        let wrong: Vec<_> = all().filter(|character| is_unseen(*character) != unseen.contains(character)).collect();
        assert_eq!(wrong, [], "{wrong:x?}");
        for property in properties {
            assert!(!of(property).is_empty(), "{property}");
        }
    }

    /// Compares with the tables of another crate: a character without width is unseen, or part of its neighbour.
    #[test]
    fn other_tables_agree() {
        let marks = of(r"[\p{M}]");
        // Vowels and finals of Hangul, and Indian letters that are drawn onto the next letter: they are visible there.
        let hangul = |character| matches!(character, '\u{1161}'..='\u{11ff}' | '\u{d7b0}'..='\u{d7fb}');
        let before = "\u{d4e}\u{a8fa}\u{111c2}\u{111c3}\u{113d1}\u{1193f}\u{11941}\u{11a84}\u{11a85}\u{11a86}\u{11a87}\
                      \u{11a88}\u{11a89}\u{11d46}\u{11f02}";
        let takes_room = |character: &char| character.width().is_some_and(|width| width > 0);
        let wrong: Vec<_> = all()
            .filter(|character| !is_unseen(*character) && !takes_room(character))
            .filter(|character| !marks.contains(character) && !hangul(*character) && !before.contains(*character))
            .collect();
        assert_eq!(wrong, [], "{wrong:x?}");
    }

    #[test]
    fn ordinary_text_is_visible() {
        let text = "plain, ünïcode, 漢字, עברית, العربية, हिन्दी, 한국어, e\u{301}, 🙂 €\u{a0}\u{202f}\u{3000}";
        assert!(!text.contains(is_unseen));
    }

    #[test]
    fn ranges_known_for_hidden_text_are_unseen() {
        let spans = [
            '\u{1bca0}'..='\u{1bca3}',
            '\u{1d173}'..='\u{1d17a}',
            '\u{13430}'..='\u{1343f}',
            '\u{1d159}'..='\u{1d159}',
            '\u{16fe4}'..='\u{16fe4}',
            '\u{115f}'..='\u{1160}',
            '\u{3164}'..='\u{3164}',
            '\u{ffa0}'..='\u{ffa0}',
            '\u{180b}'..='\u{180f}',
            '\u{fe00}'..='\u{fe0f}',
            '\u{e0000}'..='\u{e0fff}',
            '\u{200b}'..='\u{200f}',
            '\u{202a}'..='\u{202e}',
            '\u{2060}'..='\u{206f}',
            '\u{fff9}'..='\u{fffb}',
            '\u{e000}'..='\u{f8ff}',
            '\u{fdd0}'..='\u{fdef}',
        ];
        for character in spans.into_iter().flatten() {
            assert!(is_unseen(character), "{:x}", u32::from(character));
        }
    }
}
