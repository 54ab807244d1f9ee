//! What a person sees before a server starts, and which parts are optional.

use std::process::Stdio;

use serde_json::json;

use crate::bed::Package;
use crate::bed::TestBed;
use crate::terminal::Terminal;

/// Facts, the configuration, the options, and the output on a terminal and in a pipe.
struct Case {
    facts: (&'static str, u8, u8),
    policy: &'static str,
    options: &'static str,
    on_terminal: &'static [&'static str],
    in_a_pipe: &'static [&'static str],
}

/// A bed with one package, whose manifest has these requests.
fn bed(facts: (&str, u8, u8)) -> TestBed {
    let bed = TestBed::new();
    bed.configure("policy: {allowed_origins: [official, verified], min_cert_level: 2, cert_mode: warn}");
    let (origin, level, score) = facts;
    let package = Package::shell("acme/tool@1.0.0", "echo served").manifest(|manifest| {
        manifest["permissions"] = json!({
            "network": {"outbound": ["api.example.com"]},
            "filesystem": {"read": ["/data"]},
            "env_vars": ["API_KEY", "REGION", "TOKEN"],
        });
    });
    bed.publish(&package.facts(origin, level, score).option("--findings", "0,0,1,2"));
    bed
}

/// Returns the output of a command whose standard error is a terminal of this width.
fn shown(bed: &TestBed, line: &str, columns: u16) -> String {
    let terminal = Terminal::of_width(columns);
    let mut command = bed.smcp(line).env("REGION", "eu-secret-1").command;
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(terminal.stream());
    let child = command.spawn().unwrap();
    drop(command);
    let screen = terminal.end();
    let output = child.wait_with_output().unwrap();
    assert!(matches!(output.stdout.as_slice(), b"" | b"served\n"), "{screen}");
    bed.redact(&screen)
}

#[test]
fn a_clean_pass_is_summed_up_on_a_terminal() {
    let bed = bed(("verified", 2, 85));
    let line = "run --env API_KEY=hunter2 acme/tool@1.0.0";
    let screen = shown(&bed, &format!("--color never {line}"), 80);
    insta::assert_snapshot!("clean_pass", screen);
    assert!(screen.lines().all(|line| line.chars().count() <= 80), "{screen}");
    let coloured = shown(&bed, &format!("--color always {line}"), 120);
    insta::assert_snapshot!("clean_pass_coloured", coloured.replace('\u{1b}', "␛"));
    for text in [&screen, &coloured] {
        assert!(!text.contains("hunter2") && !text.contains("eu-secret"), "{text}");
    }
}

#[test]
fn a_decision_that_has_to_be_read_says_everything_once() {
    let bed = bed(("verified", 1, 60));
    let screen = shown(&bed, "--color never run acme/tool@1.0.0", 80);
    insta::assert_snapshot!("warned_on_a_terminal", screen);
    for field in ["registry ", "origin  ", "level ", "score  ", "asks for ", "gets ", "lacks ", "sandbox "] {
        let lines = screen.lines().filter(|line| line.starts_with(&format!("  {field}"))).count();
        assert_eq!(lines, 1, "{field}: {screen}");
    }
}

#[test]
fn verbose_leaves_nothing_out() {
    let bed = bed(("verified", 2, 85));
    let screen = shown(&bed, "--color never -v run acme/tool@1.0.0", 200);
    for words in ["  status    published", "  bundle    sha256:", "  gets      ", "✓ origin ", "✓ score "] {
        assert!(screen.contains(words), "{words}: {screen}");
    }
}

#[test]
fn each_reader_gets_what_is_for_them() {
    let (clean, low, uncertified, foreign) =
        (("verified", 2, 85), ("verified", 2, 60), ("verified", 1, 85), ("community", 2, 85));
    let strict = "policy: {allowed_origins: [verified], min_cert_level: 2}";
    let warn = "policy: {min_cert_level: 2, cert_mode: warn}";
    let summary: &[&str] = &["may run: all 3", "asks for", "gets", "lacks", "sandbox"];
    let note: &[&str] =
        &["! acme/tool@1.0.0 may run, with notes: Moderate Risk (score 60/100); all 3", "note: security score 60"];
    let warning: &[&str] = &["! acme/tool@1.0.0 may run, with warnings: 1 of 3", "certification level 1"];
    let refusal: &[&str] = &["is refused", "origin \"community\""];
    let cases = [
        Case { facts: clean, policy: strict, options: "", on_terminal: summary, in_a_pipe: &[] },
        Case { facts: clean, policy: strict, options: "-q", on_terminal: &[], in_a_pipe: &[] },
        Case { facts: low, policy: strict, options: "", on_terminal: note, in_a_pipe: note },
        Case { facts: low, policy: strict, options: "--quiet", on_terminal: &[], in_a_pipe: &[] },
        Case { facts: uncertified, policy: warn, options: "", on_terminal: warning, in_a_pipe: warning },
        Case { facts: uncertified, policy: warn, options: "-q", on_terminal: warning, in_a_pipe: warning },
        Case { facts: foreign, policy: strict, options: "", on_terminal: refusal, in_a_pipe: refusal },
        Case { facts: foreign, policy: strict, options: "-q", on_terminal: refusal, in_a_pipe: refusal },
    ];
    for Case { facts, policy, options, on_terminal, in_a_pipe } in cases {
        let bed = bed(facts);
        bed.configure(policy);
        let line = format!("--color never {options} run acme/tool@1.0.0");
        for (text, expected) in [(shown(&bed, &line, 200), on_terminal), (bed.run(&line).stderr, in_a_pipe)] {
            assert_eq!(text.is_empty(), expected.is_empty(), "{facts:?} {line}: {text}");
            assert!(expected.iter().all(|words| text.contains(words)), "{facts:?} {line}: {text}");
            assert!(!text.contains("✓ origin"), "what is right is only counted: {facts:?} {line}: {text}");
            assert!(!options.contains('q') || !text.contains("sandbox "), "{facts:?} {line}: {text}");
        }
    }
}

#[test]
fn quiet_silences_notes_and_no_error() {
    let bed = TestBed::new();
    bed.publish(&Package::shell("acme/tool@1.0.0", "exit 4").good());
    bed.run("run --registry registry acme/tool@1.0.0").exits(1).says(&["no policy is configured", "exits with 1"]);
    let ran = bed.run("-q run --registry registry acme/tool@1.0.0").exits(1).says(&["smcp exits with 1 instead"]);
    assert!(!ran.stderr.contains("no policy"), "{ran}");
    bed.run("-q run --registry nowhere acme/tool@1.0.0").refuses(2, &["nowhere"]);
    for line in ["-q -v info acme/tool@1.0.0", "-q info -v acme/tool@1.0.0", "-v info acme/tool@1.0.0 --quiet"] {
        bed.run(line).refuses(1, &["cannot be used with"]);
    }
}
