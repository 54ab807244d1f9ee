//! Environment files, line by line.

use proptest::prelude::any;
use proptest::prelude::prop;
use proptest::prop_assert_eq;
use proptest::proptest;

use super::*;

fn read(text: impl AsRef<[u8]>) -> Vec<(String, Vec<u8>)> {
    let read = parse(text.as_ref()).unwrap();
    read.iter().map(|given| (given.name.clone(), given.value.as_bytes().to_owned())).collect()
}

#[test]
fn values_are_read_as_dotenv_has_them() {
    let cases: [(&str, &str); 44] = [
        // Without quotation marks.
        ("K=1", "1"),
        ("  K = two words \r", "two words"),
        ("K=", ""),
        ("K= # nothing", ""),
        ("K=a=b#c", "a=b#c"),
        ("K=#c", "#c"),
        ("K=a # b", "a"),
        ("K=a\t#b", "a"),
        ("K=it's", "it's"),
        ("K=a\"b\"", "a\"b\""),
        ("K=a\\nb", "a\\nb"),
        ("K={\"a\": [1]}", "{\"a\": [1]}"),
        ("K=pa$$", "pa$$"),
        ("K=a$ b$", "a$ b$"),
        ("K=C:\\dir\\x", "C:\\dir\\x"),
        // In single ones: as it is.
        ("K=''", ""),
        ("K='a b'", "a b"),
        ("K=' a '", " a "),
        ("K='a # b'", "a # b"),
        ("K='a' # b", "a"),
        ("K='a'#b", "a"),
        ("K='$HOME ${X} $(x) `x`'", "$HOME ${X} $(x) `x`"),
        ("K='a\\nb\\'", "a\\nb\\"),
        ("K='say \"a\"'", "say \"a\""),
        ("K='a\nb\n'", "a\nb\n"),
        ("K='a\r\nb'\r", "a\nb"),
        ("K = 'a'", "a"),
        // In double ones: with escapes.
        ("K=\"\"", ""),
        ("K=\"a b\"", "a b"),
        ("K=\"a # b\" # c", "a # b"),
        ("K=\"it's\"", "it's"),
        ("K=\"a\\nb\\tc\\rd\"", "a\nb\tc\rd"),
        ("K=\"\\\"\\\\\\$HOME\\'\"", "\"\\$HOME'"),
        ("K=\"a\nb\n#c\n\"", "a\nb\n#c\n"),
        ("K=\"a\r\nb\"", "a\nb"),
        ("K=\"5$ `x`\"", "5$ `x`"),
        // With an `export` before the name.
        ("export K=1", "1"),
        ("\texport\tK = 'a'", "a"),
        ("K=export", "export"),
        // Around it.
        ("\u{feff}K=1", "1"),
        ("\u{feff}\n# c\n\n   # d\nK=1\n\n", "1"),
        ("K=0\nK=1", "1"),
        ("K=a\u{e4}", "a\u{e4}"),
        ("K=a\u{3000}b", "a\u{3000}b"),
    ];
    for (text, value) in cases {
        let read = read(text);
        let (name, found) = read.last().unwrap();
        assert_eq!((name.as_str(), found.as_slice()), ("K", value.as_bytes()), "{text:?}");
    }
    for text in ["export=1", "export =1"] {
        assert_eq!(read(text), [("export".to_owned(), b"1".to_vec())]);
    }
    assert_eq!(read(b"K=\xff\xfe"), [("K".to_owned(), b"\xff\xfe".to_vec())], "any bytes are a value");
    let several = read("A=1\nB='2\n3'\nC=\"4\"\n");
    assert_eq!(several.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>(), ["A", "B", "C"]);
    assert!(parse(b"").unwrap().is_empty() && parse(b"\xef\xbb\xbf").unwrap().is_empty());
}

#[test]
fn what_is_not_understood_is_named_with_its_line_and_never_shown() {
    let cases: [(&[u8], usize, Reason); 30] = [
        (b"hunter2", 1, Reason::NoAssignment),
        (b"A=1\nKEY\n", 2, Reason::NoAssignment),
        (b"KEY: hunter2", 1, Reason::NoAssignment),
        (b"export KEY", 1, Reason::NoAssignment),
        (b"=hunter2", 1, Reason::Name),
        (b"set KEY=hunter2", 1, Reason::Name),
        (b"exportKEY A=hunter2", 1, Reason::Name),
        (b"*=hunter2", 1, Reason::Name),
        (b"\"KEY\"=hunter2", 1, Reason::Name),
        (b"$KEY=hunter2", 1, Reason::Name),
        (b"\xc3\x84=hunter2", 1, Reason::Name),
        (b"\xff=hunter2", 1, Reason::Name),
        (b"KEY=hun\0ter2", 1, Reason::Nul),
        (b"KEY='hun\0ter2'", 1, Reason::Nul),
        (b"A=1\rB=hunter2", 1, Reason::CarriageReturn),
        (b"KEY=$HOME/hunter2", 1, Reason::Expansion),
        (b"KEY=hunter2:${X}", 1, Reason::Expansion),
        (b"KEY=$(hunter2)", 1, Reason::Expansion),
        (b"KEY=hunter$2", 1, Reason::Expansion),
        (b"A=1\n\nKEY=\"hunter2\n$X\"", 3, Reason::Expansion),
        (b"KEY=`hunter2`", 1, Reason::Backtick),
        (b"KEY=\"hunter2\\d\"", 1, Reason::Escape),
        (b"KEY=\"hunter2\\\n\"", 1, Reason::Escape),
        (b"KEY=\"hunter2\"x", 1, Reason::BehindQuotes),
        (b"KEY='hunter'2'", 1, Reason::BehindQuotes),
        (b"KEY='hunter\\'2'", 1, Reason::BehindQuotes),
        (b"A=1\nKEY=\"hunter2\nB=2\n", 2, Reason::Unclosed),
        (b"KEY='hunter2", 1, Reason::Unclosed),
        (b"KEY='", 1, Reason::Unclosed),
        (b"KEY=\"hunter2\\", 1, Reason::Unclosed),
    ];
    for (text, line, reason) in cases {
        let error = parse(text).unwrap_err();
        let shown = String::from_utf8_lossy(text);
        assert_eq!(error, EnvFileError::Lines(vec![Wrong { line, reason }]), "{shown}");
        assert!(!error.to_string().contains("hunter"), "{error}");
    }
    for text in [b"\xff\xfeA\0=\x001\0".as_slice(), b"\xfe\xff\0A", b"A\0=\x001\0", b"\0A\0=", b"\xff\xfe\0\0"] {
        assert_eq!(parse(text), Err(EnvFileError::Encoding), "{text:?}");
    }
}

#[test]
fn all_lines_are_named_at_once_and_the_count_goes_on_behind_long_values() {
    let text = b"bad\nA='1\n2\n3'\nbad\nB=\"1\n\\x\"\nC=`\nD=\"\\\n\"\nbad";
    let EnvFileError::Lines(lines) = parse(text).unwrap_err() else { panic!("these are lines") };
    assert_eq!(lines.iter().map(|wrong| wrong.line).collect::<Vec<_>>(), [1, 5, 6, 8, 9, 11]);
    let many = parse(&b"bad\n".repeat(20)).unwrap_err().to_string();
    assert!(many.starts_with("20 lines of it are not understood\n  line 1: it has no `=`"), "{many}");
    assert!(many.ends_with("\n  and 12 more"), "{many}");
}

proptest! {
    #[test]
    fn a_value_in_quotation_marks_is_read_back(value in "[^\\x00\\r]{0,40}", before in "[ \t]{0,2}", behind in "( *#.{0,5})?") {
        let double = value.replace('\\', "\\\\").replace('"', "\\\"").replace('$', "\\$");
        prop_assert_eq!(read(format!("K={before}\"{double}\"{behind}\nL=1")).remove(0).1, value.as_bytes());
        let single = value.replace('\'', "");
        prop_assert_eq!(read(format!("K={before}'{single}'{behind}\nL=1")).remove(0).1, single.as_bytes());
    }

    #[test]
    fn whatever_a_file_has_it_is_read_or_named(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        if let Err(EnvFileError::Lines(lines)) = parse(&bytes) {
            let last = bytes.split(|byte| *byte == b'\n').count();
            assert!(!lines.is_empty() && lines.iter().all(|wrong| (1..=last).contains(&wrong.line)), "{lines:?}");
        }
    }
}
