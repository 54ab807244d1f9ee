//! Exceptions: what is refused, whose they are, and what is remarked.

use std::path::Path;

use super::bad;
use super::good;
use super::places;
use crate::Config;
use crate::fold::fold;
use crate::layer_file::LayerFile;
use smcp_model::limits;
use smcp_model::policy::LayerName;
use smcp_model::registry::Registry;

/// Returns a configuration with one exception of these keys, in line 3.
fn entry(keys: &str) -> String {
    format!("policy:\n  exceptions:\n    - {{{keys}}}\n")
}

/// The keys of an exception that is in order, but for `until`.
const SCORE: &str = "package: acme/legacy, policies: [score], reason: ticket 7";

/// Noon of 2027-01-15, in seconds since the Unix epoch.
const NOON: u64 = 1_800_014_400;

#[test]
fn each_wrong_value_is_refused_at_its_place() {
    let ok = "policies: [score], reason: x, until: 2027-01-31";
    let scope = "(allowed: ORG/NAME, ORG/NAME@VERSION or ORG/NAME@sha256:DIGEST)";
    let day = "(allowed: a day as YYYY-MM-DD, from 1970-01-01)";
    let package = |package: &str, why: &str| {
        (
            format!("package: {package}, {ok}"),
            format!("3:17: `policy.exceptions[0].package` is the text `{package}`{why} {scope}"),
        )
    };
    let until = |until: &str, column: usize, found: &str| {
        (format!("{SCORE}, until: {until}"), format!("3:{column}: `policy.exceptions[0].until` {found} {day}"))
    };
    let at = SCORE.len() + 17;
    let cases = [
        package("acme", ": it names no package"),
        package("acme/*", ": it names no package"),
        package("acme/tool @1", ": it names no package"),
        package("acme/tool@latest", ": `latest` is another version tomorrow"),
        package("acme/tool@", ": what is behind the `@` is no version"),
        package("acme/tool@^1", ": what is behind the `@` is no version"),
        package(
            "acme/tool@sha256:12",
            ": what is behind the `@` is no digest, `sha256:` and 64 lower-case hex digits",
        ),
        until("2027-02-29", at, "is the text `2027-02-29`: the calendar has no such day since 1970"),
        until("2027-1-31", at, "is the text `2027-1-31`"),
        until("31.01.2027", at, "is the text `31.01.2027`"),
        until("never", at, "is the text `never`"),
        until("20270131", at, "is the number 20270131"),
        until("2027-01-31T10:00:00Z", at, "is the text `2027-01-31T10:00:00Z`"),
        until("~", at, "has no value"),
        (
            "package: a/b, policies: [], reason: x, until: 2027-01-31".to_owned(),
            "3:32: `policy.exceptions[0].policies` has 0 items (allowed: a list of 1 to 1024 names of policies of this \
             layer)"
                .to_owned(),
        ),
        (
            "package: a/b, policies: [score], codes: [], reason: x, until: 2027-01-31".to_owned(),
            "3:48: `policy.exceptions[0].codes` has 0 items (allowed: a list of 1 to 256 codes of findings; without the \
             key, any)"
                .to_owned(),
        ),
        (
            "package: a/b, policies: [score], codes: [a_b], reason: x, until: 2027-01-31".to_owned(),
            "3:49: `policy.exceptions[0].codes[0]` is the text `a_b`; did you mean `a-b`? (allowed: a code: 1 to 64 \
             characters of a-z, 0-9 and -)"
                .to_owned(),
        ),
        (
            "package: a/b, policies: [score], reason: '  ', until: 2027-01-31".to_owned(),
            "3:49: `policy.exceptions[0].reason` is the text `  ` (allowed: a text of 1 to 500 bytes)"
                .to_owned(),
        ),
        (
            "package: a/b, policies: [scoer], reason: x, until: 2027-01-31".to_owned(),
            "3:33: `policy.exceptions[0].policies[0]` is `scoer`, and no policy of this layer has that name; did you mean \
             `score`? (allowed: origin, certification, score)"
                .to_owned(),
        ),
    ];
    for (keys, expected) in cases {
        assert_eq!(bad(&entry(&keys)), [expected], "{keys}");
    }
    let long = |bytes: usize| {
        entry(&format!("package: a/b, policies: [score], reason: {}, until: 2027-01-31", "x".repeat(bytes)))
    };
    good(&long(limits::EXCEPTION_TEXT));
    assert!(bad(&long(limits::EXCEPTION_TEXT + 1))[0].ends_with("(allowed: a text of 1 to 500 bytes)"));
}

#[test]
fn lists_are_as_long_as_what_they_name_can_be() {
    let codes = |count: usize| (0..count).map(|number| format!("c{number}")).collect::<Vec<_>>().join(", ");
    let text = |count| entry(&format!("{SCORE}, until: 2027-01-31, codes: [{}]", codes(count)));
    good(&text(limits::FINDINGS));
    assert!(bad(&text(limits::FINDINGS + 1))[0].contains("`policy.exceptions[0].codes` has 257 items"));
    let names = |count| {
        entry(&format!("package: a/b, reason: x, until: 2027-01-31, policies: [{}]", vec!["score"; count].join(", ")))
    };
    good(&names(limits::POLICIES_CEILING));
    assert!(bad(&names(limits::POLICIES_CEILING + 1))[0].contains("`policy.exceptions[0].policies` has 1025 items"));
}

/// The nearest name is looked for as long as problems are shown, so a file full of wrong names is refused quickly.
#[test]
fn many_wrong_names_are_counted_and_not_each_corrected() {
    let custom: String = (0..100).map(|number| format!("    - {{name: {:0>30}, source: a}}\n", number)).collect();
    let names = vec!["near-to-nothing"; 100].join(", ");
    let entries: String = (0..10)
        .map(|_| format!("    - {{package: a/b, reason: x, until: 2027-01-31, policies: [{names}]}}\n"))
        .collect();
    let error = super::read(&format!("policy:\n  max_policies: 1024\n  custom:\n{custom}  exceptions:\n{entries}"))
        .unwrap_err();
    assert!(error.problems().len() <= limits::CONFIG_PROBLEMS && error.problems().len() + error.more() == 1_000);
}

#[test]
fn what_is_missing_or_unknown_is_said_all_at_once() {
    let keys = "package, policies, codes, reason, approved_by, until";
    assert_eq!(
        bad("policy:\n  exceptions:\n    - package: acme/legacy\n      expires: 2027-01-31\n      codes: [x]\n"),
        [
            format!("3:7: an entry of `policy.exceptions` is missing `policies` (allowed: {keys})"),
            format!("3:7: an entry of `policy.exceptions` is missing `reason` (allowed: {keys})"),
            format!("3:7: an entry of `policy.exceptions` is missing `until` (allowed: {keys})"),
            format!(
                "4:7: unknown key `expires` in an entry of `policy.exceptions`; did you mean `until`? (allowed: {keys})"
            ),
        ]
    );
    assert_eq!(
        bad("policy:\n  exceptions: {package: a/b}\n"),
        ["2:15: `policy.exceptions` is a mapping (allowed: a list of mappings)"]
    );
    assert_eq!(bad("policy:\n  exceptions:\n").len(), 1);
    good("policy:\n  exceptions: []\n");
}

#[test]
fn a_policy_may_stand_behind_the_exceptions_and_be_wrong_itself() {
    let custom = "  custom:\n    - {name: no-network, source: a.wasm}\n";
    good(&format!("{}{custom}", entry("package: a/b, policies: [no-network], reason: x, until: 2027-01-31")));
    // A policy without its source is one problem, not two.
    let wrong = format!(
        "{}  custom:\n    - {{name: mine}}\n",
        entry("package: a/b, policies: [mine], reason: x, until: 2027-01-31")
    );
    assert_eq!(bad(&wrong).len(), 1);
    let many: String = (0..20).map(|number| format!("    - {{name: p{number}, source: a}}\n")).collect();
    let wrong = format!("{}  custom:\n{many}", entry("package: a/b, policies: [zzzzzz], reason: x, until: 2027-01-31"));
    assert!(
        bad(&wrong)[0].ends_with("(allowed: origin, certification, score, p0, p1, p2, p3, p4, p5, p6 and 13 more)")
    );
}

const SYSTEM: (LayerName, &str) = (LayerName::System, "/etc/mcp/config.yaml");
const USER: (LayerName, &str) = (LayerName::User, "/home/me/.mcp/config.yaml");

fn layered(files: &[((LayerName, &str), &str)]) -> Result<Config, String> {
    let parse = |((layer, file), text): &((LayerName, &str), &str)| {
        LayerFile::parse(text.as_bytes(), Path::new(file), *layer, &places())
    };
    fold(files.iter().map(parse).collect(), places().home.as_deref()).map_err(|error| error.to_string())
}

#[test]
fn an_exception_belongs_to_its_layer() {
    let own = entry(&format!("{SCORE}, until: 2027-01-31"));
    let system = "registry_url: https://own.example\npolicy: {custom: [{name: theirs, source: a.wasm}]}";
    let config = layered(&[(SYSTEM, system), (USER, &own)]).unwrap();
    let counts: Vec<_> = config.layers().iter().map(|layer| (layer.name(), layer.exceptions().count())).collect();
    assert_eq!(counts, [(LayerName::System, 0), (LayerName::User, 1)]);
    assert!(config.layers()[1].exceptions().all(|exception| exception.layer == LayerName::User));
    assert_eq!(config.layers()[1].exception_place(0).as_str(), "/home/me/.mcp/config.yaml:3");
    // A user can't name a policy of the system layer.
    let theirs = entry("package: a/b, policies: [theirs], reason: x, until: 2027-01-31");
    let refused = layered(&[(SYSTEM, system), (USER, &theirs)]).unwrap_err();
    assert!(
        refused.starts_with("~/.mcp/config.yaml:3:33: `policy.exceptions[0].policies[0]` is `theirs`"),
        "{refused}"
    );
    // The files of one layer are one list, in their order, and know each other's policies.
    let more = (LayerName::User, "/home/me/.mcp/more.yaml");
    let mine = "policy: {custom: [{name: mine, source: a}], exceptions: [{package: a/b, policies: [mine], reason: x, until: 2027-01-31}]}";
    let first = entry("package: c/d, policies: [mine], reason: y, until: 2027-01-31");
    let config = layered(&[(USER, &first), (more, mine)]).unwrap();
    let places: Vec<_> = (0..3).map(|number| config.layers()[0].exception_place(number).to_string()).collect();
    assert_eq!(places, ["/home/me/.mcp/config.yaml:3", "/home/me/.mcp/more.yaml:1", ""]);
}

#[test]
fn an_exception_without_a_digest_is_for_trusted_registries_only() {
    let registry = |text: &str| Registry::from_text(text, Path::new("/"), None).unwrap();
    let (default, own) = (Registry::default(), registry("https://own.example"));
    let (folder, other) = (registry("/srv/own"), registry("https://other.example"));
    let cases = [
        ("", vec![&default]),
        ("registry_url: https://own.example", vec![&own]),
        ("registry_url: /srv/own", vec![&folder]),
        ("trusted_registries: [https://own.example, /srv/own]", vec![&own, &folder]),
        ("registry_url: https://other.example\ntrusted_registries: [https://own.example]", vec![&own]),
        ("trusted_registries: []", vec![]),
    ];
    for (text, trusted) in cases {
        let mut config = good(text);
        for elsewhere in [None, Some(&other)] {
            // What the command line names is not trusted because of that.
            elsewhere.into_iter().for_each(|elsewhere| config.override_registry(elsewhere.clone()));
            let layer = &config.layers()[0];
            for one in [&default, &own, &folder, &other] {
                assert_eq!(layer.waives_from(Some(one)), trusted.contains(&one), "{text}: {one}");
            }
            // A document that names no registry is judged as it is for the policies.
            assert_eq!(layer.waives_from(None), layer.believes(None), "{text}");
        }
    }
    // Each layer by its own word; a user who names no registry means the one in use.
    let config = layered(&[(SYSTEM, "registry_url: https://own.example"), (USER, "")]).unwrap();
    assert!(config.layers().iter().all(|layer| layer.waives_from(Some(&own)) && !layer.waives_from(Some(&default))));
    let config =
        layered(&[(SYSTEM, "registry_url: https://own.example"), (USER, "registry_url: https://other.example")])
            .unwrap();
    let trusts: Vec<_> = config.layers().iter().map(|layer| layer.waives_from(Some(&own))).collect();
    assert_eq!(trusts, [true, false]);
}

/// Returns the remarks about one exception at noon of 2027-01-15, without what they begin with.
fn remarks(text: &str) -> Vec<String> {
    let remarks = good(text).exception_remarks(NOON);
    assert_eq!(remarks.more, 0);
    remarks.shown.iter().map(|remark| format!("{} {}: {}", remark.code, remark.at, remark.message)).collect()
}

#[test]
fn the_end_of_an_exception_is_said_in_time() {
    let cases = [
        ("2027-01-30", None),
        ("2027-01-29", Some("exception-ends-soon ends in 14 days, 2027-01-29")),
        ("2027-01-17", Some("exception-ends-soon ends in 2 days, 2027-01-17")),
        ("2027-01-16", Some("exception-ends-soon ends tomorrow, 2027-01-16")),
        ("2027-01-15", Some("exception-ends-soon ends today, 2027-01-15, at midnight UTC")),
        ("2027-01-14", Some("exception-ended ended on 2027-01-14, and is ignored")),
        ("1970-01-01", Some("exception-ended ended on 1970-01-01, and is ignored")),
    ];
    for (until, expected) in cases {
        let text = entry(&format!("{SCORE}, until: {until}"));
        let expected = expected.map(|expected| {
            let (code, end) = expected.split_once(' ').unwrap();
            format!("{code} /home/me/.mcp/config.yaml:3: the exception for `acme/legacy` {end}")
        });
        assert_eq!(remarks(&text), expected.into_iter().collect::<Vec<_>>(), "{until}");
        let notices = good(&text).ended_exceptions(NOON);
        assert_eq!(notices.len(), usize::from(until < "2027-01-15"), "{until}");
    }
    let two = format!("{}    - {{{SCORE}, until: 2027-01-01}}\n", entry(&format!("{SCORE}, until: 2026-12-31")));
    let notices: Vec<_> = good(&two).ended_exceptions(NOON).iter().map(ToString::to_string).collect();
    let said = "/home/me/.mcp/config.yaml:3: the exception for `acme/legacy` ended on 2026-12-31 and is ignored, and 1 more; \
                take it out, or have it approved again";
    assert_eq!(notices, [said]);
}

#[test]
fn what_can_not_match_is_pointed_out() {
    let bound = format!("acme/legacy@sha256:{}", "a".repeat(64));
    let own = "package: acme/legacy, reason: x, until: 2027-12-31";
    let cases = [
        (entry(&format!("{own}, policies: [score]")), None),
        (
            format!(
                "registry_url: https://r.example\ntrusted_registries: []\n{}",
                entry(&format!("{own}, policies: [score]"))
            ),
            Some(
                "it names no digest, so it is for packages of registries that this layer trusts, and https://r.example is \
                 none of them",
            ),
        ),
        (
            format!(
                "trusted_registries: []\n{}",
                entry(&format!("package: '{bound}', policies: [score], reason: x, until: 2027-12-31"))
            ),
            None,
        ),
        (
            format!("{}  score_mode: disabled\n", entry(&format!("{own}, policies: [score, origin]"))),
            Some("a part of | the policy `score` is disabled, and finds nothing"),
        ),
        (entry(&format!("{own}, policies: [score], codes: [score-unknown, score-below-minimum]")), None),
        (
            entry(&format!("{own}, policies: [score], codes: [score-below-minimun]")),
            Some(
                "the policies that it names report no violation `score-below-minimun`; did you mean `score-below-minimum`? \
                 (they report: score-below-minimum, score-unknown)",
            ),
        ),
        (
            entry(&format!("{own}, policies: [origin], codes: [score-unknown]")),
            Some(
                "the policies that it names report no violation `score-unknown` (they report: origin-not-allowed, \
                 origin-unknown)",
            ),
        ),
        (
            format!("{}  score_mode: disabled\n", entry(&format!("{own}, policies: [score]"))),
            Some("the policy `score` is disabled, and finds nothing"),
        ),
        (
            entry(&format!("{own}, policies: [origin], codes: [origin-unknown, x]")),
            Some(
                "a part of | the policies that it names report no violation `x` (they report: origin-not-allowed, \
                 origin-unknown)",
            ),
        ),
        // What a custom policy reports is not known.
        (
            format!(
                "{}  custom: [{{name: mine, source: a}}]\n",
                entry(&format!("{own}, policies: [score, mine], codes: [x]"))
            ),
            None,
        ),
    ];
    for (text, why) in cases {
        let line = text.lines().position(|line| line.contains("package")).unwrap() + 1;
        let expected = why.map(|why| {
            let at = format!("exception-matches-nothing /home/me/.mcp/config.yaml:{line}");
            let (part, why) = why.split_once("| ").unwrap_or(("", why));
            format!("{at}: {part}the exception for `acme/legacy` has no effect: {why}")
        });
        let found: Vec<_> = remarks(&text);
        assert_eq!(found, expected.into_iter().collect::<Vec<_>>(), "{text}");
    }
}

#[test]
fn an_exception_behind_a_wider_one_is_pointed_out() {
    let (a, b) = (format!("a/b@sha256:{}", "a".repeat(64)), format!("a/b@sha256:{}", "b".repeat(64)));
    let keys =
        |package: &str, rest: &str, until: &str| format!("{{package: '{package}', reason: x, until: {until}, {rest}}}");
    let (score, both) = ("policies: [score]", "policies: [score, origin]");
    let (one_code, two_codes) =
        ("policies: [score], codes: [score-unknown]", "policies: [score], codes: [score-unknown, score-below-minimum]");
    let cases = [
        (keys("a/b", score, "2027-12-31"), keys("a/b", score, "2027-12-31"), true),
        (keys("a/b", score, "2027-12-31"), keys("a/b@1", score, "2027-12-30"), true),
        (keys("a/b", both, "2027-12-31"), keys("a/b", score, "2027-12-31"), true),
        (keys("a/b", score, "2027-12-31"), keys("a/b", one_code, "2027-12-31"), true),
        (keys("a/b", two_codes, "2027-12-31"), keys("a/b", one_code, "2027-12-31"), true),
        (keys(&a, score, "2027-12-31"), keys(&a, score, "2027-12-31"), true),
        // It lasts longer, is about more, or about something else.
        (keys("a/b", score, "2027-12-30"), keys("a/b", score, "2027-12-31"), false),
        (keys("a/b@1", score, "2027-12-31"), keys("a/b", score, "2027-12-31"), false),
        (keys("a/b@1", score, "2027-12-31"), keys("a/b@2", score, "2027-12-31"), false),
        (keys("a/b", score, "2027-12-31"), keys("a/b", both, "2027-12-31"), false),
        (keys("a/b", one_code, "2027-12-31"), keys("a/b", score, "2027-12-31"), false),
        (keys("a/b", one_code, "2027-12-31"), keys("a/b", two_codes, "2027-12-31"), false),
        (keys("a/c", score, "2027-12-31"), keys("a/b", score, "2027-12-31"), false),
        (keys(&b, score, "2027-12-31"), keys(&a, score, "2027-12-31"), false),
        // A digest holds for every registry, a name for trusted ones only.
        (keys("a/b", score, "2027-12-31"), keys(&a, score, "2027-12-31"), false),
    ];
    for (first, second, shadowed) in cases {
        let text = format!("policy:\n  exceptions:\n    - {first}\n    - {second}\n");
        let found = remarks(&text);
        assert_eq!(found.len(), usize::from(shadowed), "{text}{found:?}");
        let why = "has no effect: `policy.exceptions[0]` waives all of it before it";
        assert!(found.iter().all(|remark| remark.contains("config.yaml:4: ") && remark.ends_with(why)), "{found:?}");
    }
}

#[test]
fn many_remarks_are_counted() {
    let many: String = (0..300)
        .map(|number| format!("    - {{package: a/p{number}, policies: [score], reason: x, until: 2020-01-01}}\n"))
        .collect();
    let remarks = good(&format!("policy:\n  exceptions:\n{many}")).exception_remarks(NOON);
    assert_eq!((remarks.shown.len(), remarks.more), (limits::CONFIG_PROBLEMS, 200));
}
