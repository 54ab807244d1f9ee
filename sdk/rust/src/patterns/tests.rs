//! What each pattern covers, and what gets round none of them.

mod laws;
mod versions;

use super::*;
use crate::request::Subject;

fn host(pattern: &str) -> HostPattern {
    HostPattern::new(pattern).unwrap_or_else(|| panic!("{pattern} is a pattern"))
}

#[test]
fn a_host_pattern_covers_what_it_says_and_nothing_that_looks_like_it() {
    let cases: [(&str, &[&str], &[&str]); 12] = [
        (
            "api.example.com",
            &["api.example.com", "API.Example.COM", "api.example.com."],
            &[
                "example.com",
                "a.api.example.com",
                "*.example.com",
                "*.api.example.com",
                "*",
                "",
                ".",
                "api.example.com..",
                ".api.example.com",
                "api..example.com",
                "api.example.com:443",
                "api.example.com:",
                "api.example.com:*",
                "https://api.example.com",
                "api.example.com/",
                "api.example.com/x",
                "api.example.com?x",
                "api.example.com#x",
                "user@api.example.com",
                "api.example.com@evil.com",
                "evil.com#api.example.com",
                "evil.com\\api.example.com",
                " api.example.com",
                "api.example.com ",
                "api.example.com\n",
                "api.example.com\0",
                "api.example.com\0.evil.com",
                "api.example.com.evil.com",
                "evil-api.example.com",
                "api.example.co",
                "api.example.comm",
                "api-example.com",
                "аpi.example.com",
                "api.exampl\u{435}.com",
                "api。example。com",
                "api.example.com\u{ad}",
                "ａpi.example.com",
            ],
        ),
        (
            "*.example.com",
            &["a.example.com", "A.B.EXAMPLE.com.", "*.example.com", "*.a.example.com", "xn--mnchen-3ya.example.com"],
            &[
                "example.com",
                ".example.com",
                "*..example.com",
                "evilexample.com",
                "*",
                "*.com",
                "*example.com",
                "**.example.com",
                "*.*.example.com",
                "a*.example.com",
                "a.*.example.com",
                "-.example.com",
                "-a.example.com",
                "a-.example.com",
                "a_b.example.com",
                "a b.example.com",
                "evil.com/a.example.com",
                "evil.com:80/.example.com",
                "a@b.example.com",
                "evil.com:443.example.com",
                "münchen.example.com",
                "a.example.com:80",
                "%61.example.com",
                "a.example.com%00",
                "0x7f.0.0.1",
                "127.0.0.1.example.com.evil",
            ],
        ),
        (
            "example.com:8443",
            &["EXAMPLE.com.:8443"],
            &[
                "example.com",
                "example.com:443",
                "example.com:08443",
                "example.com:+8443",
                "example.com: 8443",
                "example.com:8443/",
                "example.com:*",
                "example.com:84430",
                "example.com:8443:1",
                "*.example.com:8443",
            ],
        ),
        (
            "example.com:*",
            &["example.com", "example.com:1", "example.com:65535", "example.com:*"],
            &[
                "example.com:0",
                "example.com:65536",
                "example.com:",
                "example.com:a",
                "a.example.com:1",
                "example.com:99999999999",
            ],
        ),
        (
            "*.example.com:*",
            &["a.example.com:80", "a.example.com", "*.example.com:*"],
            &["example.com:80", "a.example.com:80:80"],
        ),
        (
            "192.0.2.1",
            &["192.0.2.1"],
            &[
                "192.0.2.01",
                "192.0.2.1.",
                "192.0.2",
                "192.0.513",
                "0xc0.0.2.1",
                "0300.0.2.1",
                "3221225985",
                "192.0.2.1:80",
                "[::ffff:192.0.2.1]",
                "[::ffff:c000:201]",
                "192.0.2.1.example.com",
                "*.0.2.1",
                "192.0.2.11",
                "١٩٢.0.2.1",
            ],
        ),
        ("192.0.2.1:80", &["192.0.2.1:80"], &["192.0.2.1", "192.0.2.1:8080"]),
        (
            "[2001:db8::1]",
            &["[2001:db8::1]", "[2001:DB8:0:0:0:0:0:1]", "[2001:0db8:0000::0001]"],
            &[
                "2001:db8::1",
                "[2001:db8::2]",
                "[2001:db8::1]:443",
                "[2001:db8::1",
                "[2001:db8::1%eth0]",
                "[2001:db8::1]x",
                "[[2001:db8::1]]",
                "[2001:db8::0.0.0.1]",
                "[]",
                "[::1::]",
                "[2001:db8:::1]",
            ],
        ),
        ("[::1]:*", &["[::1]", "[0:0:0:0:0:0:0:1]:8080"], &["localhost", "127.0.0.1", "[::]"]),
        ("localhost", &["localhost", "LOCALHOST."], &["localhost.evil.com", "127.0.0.1", "[::1]", "localhost:80"]),
        ("example.com.", &["example.com", "example.com."], &["a.example.com."]),
        ("*", &["*", "a.com", "a.com:80", "[::1]", "https://what/ever", "", "münchen.example"], &[]),
    ];
    for (pattern, covered, others) in cases {
        covered.iter().for_each(|asked| assert!(host(pattern).covers(asked), "{pattern} covers {asked:?}"));
        others.iter().for_each(|asked| assert!(!host(pattern).covers(asked), "{pattern} covers {asked:?}"));
    }
}

#[test]
fn what_is_no_host_pattern_is_refused_as_a_setting() {
    for text in [
        "",
        "*.",
        "**",
        "*.*",
        "*:443",
        "*.*.com",
        "a.*.com",
        "a*.com",
        "*a.com",
        "https://a.com",
        "a.com/",
        "a.com:0",
        "a.com:080",
        "a.com:65536",
        "a..com",
        ".a.com",
        "-a.com",
        "a b.com",
        " a.com",
        "a.com ",
        "münchen.example",
        "1",
        "127.1",
        "1.2.3.4.5",
        "256.0.0.1",
        "a.0",
        "a.0x1",
        "*.1.2.3.4",
        "::1",
        "[::1%1]",
        "[::ffff:1.2.3.4]",
    ] {
        assert_eq!(HostPattern::new(text), None, "{text:?}");
    }
    let label = "a".repeat(63);
    let longest = format!("{label}.{label}.{label}.{}", "a".repeat(61));
    assert!(host(&longest).covers(&longest.to_uppercase()));
    assert_eq!(HostPattern::new(&format!("{label}a.com")), None);
    assert_eq!(HostPattern::new(&format!("a.{longest}")), None);
}

#[test]
fn a_package_pattern_stands_for_whole_names() {
    let of = |org: &str, name: &str| Subject { org: org.to_owned(), name: name.to_owned(), ..Subject::default() };
    let cases = [
        ("acme/tool", "acme", "tool", true),
        ("acme/tool", "acme", "tools", false),
        ("acme/tool", "acme", "TOOL", false),
        ("acme/tool", "acmee", "tool", false),
        ("acme/*", "acme", "tool", true),
        ("acme/*", "acme", "*", true),
        ("acme/*", "acme-evil", "tool", false),
        ("acme/*", "ACME", "tool", false),
        ("acme/*", "evil", "acme/tool", false),
        ("acme/*", "acme/", "tool", false),
        ("acme/*", "", "tool", false),
        ("*", "evil", "tool", true),
        ("npm/left.pad_2-x", "npm", "left.pad_2-x", true),
    ];
    for (pattern, org, name, expected) in cases {
        let found = PackagePattern::new(pattern).unwrap().covers(&of(org, name));
        assert_eq!(found, expected, "{pattern} {org}/{name}");
    }
    for text in [
        "",
        "/",
        "acme",
        "acme/",
        "/tool",
        "*/tool",
        "*/*",
        "acme*/tool",
        "acme/t*",
        "acme/tool/x",
        "acme/to ol",
        "-a/b",
        "a/.b",
        "a/../b",
        "acme/tool@1.0.0",
        " acme/tool",
        "acmé/tool",
        "**",
    ] {
        assert_eq!(PackagePattern::new(text), None, "{text:?}");
    }
    assert_eq!(PackagePattern::new(&format!("{}/x", "a".repeat(129))), None);
}

#[test]
fn a_path_pattern_covers_what_is_below_it_and_nothing_beside_it() {
    let cases: [(&str, &[&str], &[&str]); 7] = [
        (
            "/tmp",
            &[
                "/tmp",
                "/tmp/",
                "/tmp//",
                "/tmp/a",
                "/tmp/a/b.txt",
                "/tmp//a/./b",
                "/./tmp/a",
                "/tmp/...",
                "/tmp/..a",
                "/tmp/*",
                "/tmp/a b",
            ],
            &[
                "/tmpfoo",
                "/tm",
                "/",
                "",
                ".",
                "..",
                "tmp",
                "./tmp",
                "/TMP",
                "//tmp",
                "//tmp/a",
                "///tmp",
                "/tmp/..",
                "/tmp/../etc",
                "/tmp/a/../../etc",
                "/tmp/a/..",
                "/../tmp",
                "/tmp/..\\..\\etc",
                "\\tmp",
                "C:\\tmp",
                "~",
                "~/tmp",
                "/t*",
                "/tmp*",
                "/*",
                "*",
                "**",
                "/tmp\0",
                "/tmp/a\n",
                "/tmp/$HOME",
                "/tmp/${X}",
                "/tmp/%TEMP%",
                "/tmp/{a,../..}",
                "/tmp/`id`",
                "$TMPDIR",
                "file:///tmp",
                "/tmp /a",
                " /tmp",
                "/var/tmp",
            ],
        ),
        (
            "/srv/data",
            &["/srv/data", "/srv/data/x", "/srv//data"],
            &["/srv", "/srv/data2", "/srv/dat", "/srv/x/data", "/data"],
        ),
        (
            "~/notes",
            &["~/notes", "~/notes/a", "~/./notes//a"],
            &[
                "~",
                "~/",
                "~/notes2",
                "~notes",
                "~root/notes",
                "~root",
                "/notes",
                "~/../notes",
                "~/notes/../.ssh",
                "~~/notes",
                "/~/notes",
            ],
        ),
        ("~", &["~", "~/", "~/.ssh"], &["/", "/home/me", "~root", "~root/x", "", "~/.."]),
        ("/", &["/", "/etc", "/a/b"], &["", "~", "a", "//a", "/..", "/a/../b", "*"]),
        ("/.config", &["/.config/x"], &["/config", "/./config"]),
        ("*", &["*", "", "/a/../b", "~", "C:\\"], &[]),
    ];
    for (pattern, covered, others) in cases {
        let path = PathPattern::new(pattern).unwrap();
        covered.iter().for_each(|asked| assert!(path.covers(asked), "{pattern} covers {asked:?}"));
        others.iter().for_each(|asked| assert!(!path.covers(asked), "{pattern} covers {asked:?}"));
    }
    for text in [
        "", ".", "..", "tmp", "./tmp", "/tmp/", "//", "//tmp", "/tmp//a", "/./a", "/a/..", "/a/../b", "/a/.", "~root",
        "~/", "~/..", "/a/*", "/a?", "/a[b]", "/$HOME", "/%X%", "/{a}", "/a\\b", "/a\n", "/`a`", "**", "~~", "*a",
    ] {
        assert_eq!(PathPattern::new(text), None, "{text:?}");
    }
}
