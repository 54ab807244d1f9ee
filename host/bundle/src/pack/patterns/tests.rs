//! Tests which paths a pattern fits.

use super::*;

#[test]
fn patterns_mean_what_they_mean_to_git() {
    // pattern, what it fits, what it doesn't; a slash at the end of a path makes it a folder
    let cases: &[(&str, &[&str], &[&str])] = &[
        ("*.log", &["a.log", "x/y/b.log", ".log"], &["a.logs", "log", "a.log/b"]),
        ("node_modules/", &["node_modules/", "a/node_modules/"], &["node_modules", "node_modules/x"]),
        ("/build", &["build", "build/"], &["a/build", "builds"]),
        ("docs/*.md", &["docs/a.md"], &["docs/x/a.md", "x/docs/a.md", "docs/"]),
        ("**/test", &["test", "a/test", "a/b/test/"], &["test/a", "atest"]),
        ("a/**", &["a/b", "a/b/c", "a/b/"], &["a", "a/", "b/a/c"]),
        ("a/**/b", &["a/b", "a/x/b", "a/x/y/b"], &["ab", "a/x/c", "x/a/b"]),
        ("**", &["a", "a/b"], &[]),
        ("?.py", &["a.py", "ü.py"], &["ab.py", ".py"]),
        ("[a-c]x", &["ax", "cx"], &["dx", "-x"]),
        ("[!a-c]x", &["dx"], &["ax", "x"]),
        ("[]-]", &["]", "-"], &["["]),
        ("[a\\]]", &["a", "]"], &["\\"]),
        ("\\*", &["*"], &["a"]),
        ("\\!x", &["!x"], &["x"]),
        ("\\#x", &["#x"], &["x"]),
        ("!keep.log", &["keep.log", "a/keep.log"], &["a.log"]),
        ("a*b*c", &["abc", "axbxc", "abbbc"], &["acb", "ab"]),
        ("*a*a*a*a*a*a*a*a*b", &["aaaaaaaab"], &["aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaac"]),
    ];
    for (pattern, fitting, other) in cases {
        let parsed: Pattern = pattern.parse().unwrap();
        let fits = |path: &&str| {
            let folder = path.ends_with('/');
            parsed.fits(&path.trim_end_matches('/').split('/').collect::<Vec<_>>(), folder)
        };
        for path in *fitting {
            assert!(fits(path), "`{pattern}` means `{path}`");
        }
        for path in *other {
            assert!(!fits(path), "`{pattern}` does not mean `{path}`");
        }
    }
    let long = format!("{}x", "**/a/".repeat(180));
    let path = vec!["a"; 128];
    assert!(!long.parse::<Pattern>().unwrap().fits(&path, false), "there is an end to it");
}

#[test]
fn what_is_no_pattern_says_why() {
    let long = "x".repeat(limits::PATTERN + 1);
    for (text, says) in [
        ("", "a part of it is empty"),
        ("/", "a part of it is empty"),
        ("!", "a part of it is empty"),
        ("a//b", "a part of it is empty"),
        ("../x", "patterns begin at the directory"),
        ("./x", "patterns begin at the directory"),
        ("[a", "has no `]`"),
        ("[", "has no `]`"),
        ("[!", "has no `]`"),
        ("[]", "has no `]`"),
        ("[z-a]", "ends before it begins"),
        ("a\\", "nothing follows"),
        (&long, "too long"),
    ] {
        let error = text.parse::<Pattern>().unwrap_err().to_string();
        assert!(error.contains(says), "{text}: {error}");
    }
}

#[test]
fn a_file_of_patterns_is_read_line_by_line() {
    let shown = |text: &str| read(text.as_bytes()).map(|all| all.iter().map(ToString::to_string).collect::<Vec<_>>());
    let text = "\u{feff}# comment\r\n\r\n*.log  \r\n!keep.log\na\\ \n";
    assert_eq!(shown(text).unwrap(), ["*.log", "!keep.log", "a\\ "]);
    assert_eq!(shown("ok\n[x\n").unwrap_err(), "line 2: `[x` is no pattern: a `[` has no `]`");
    assert_eq!(read(b"\xff").unwrap_err(), "it is not UTF-8");
    assert!(read("x\n".repeat(limits::PATTERNS + 1).as_bytes()).unwrap_err().contains("at most"));
}
