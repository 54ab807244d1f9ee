//! Which command lines are accepted, and what they mean.

use super::*;

fn words(line: &str) -> Vec<OsString> {
    line.split(' ').map(OsString::from).collect()
}

#[test]
fn verify_cli() {
    Arguments::command().debug_assert();
}

#[test]
fn a_part_of_the_grammar_says_what_the_whole_says() {
    let lines = [
        "smcp run acme/tool@1.0.0",
        "smcp run --trust acme/tool@1.0.0 --env A=b -- --quiet policy -V",
        "smcp run acme/tool@1.0.0 -V",
        "smcp run acme/tool@1.0.0 extra",
        "smcp --config run policy eval --facts f.json",
        "smcp -vv --json policy eval --facts f.json --at 2026-01-01",
        "smcp --config policy run acme/tool@1.0.0 --dry-run --registry cache",
        "smcp policy --json list -q",
        "smcp policy list -q -v",
        "smcp --config eval policy check acme/tool@1.0.0",
        "smcp policy help eval",
        "smcp policy eval",
        "smcp policy check --facts f.json",
        "smcp cache list",
        "smcp cache ls",
        "smcp config schema --no-policies",
        "smcp audit tail policy",
        "smcp audit show --package run",
        "smcp policy",
        "smcp run",
        "smcp run --help",
        "smcp help run",
        "smcp help policy eval",
        "smcp --version",
        "smcp version --version",
        "smcp nonsense run",
        "smcp -- run x",
        "smcp",
    ];
    let mut accepted = 0;
    for line in lines {
        let arguments = words(line);
        let whole = parse_by(Arguments::command(), &arguments);
        let shown = |parsed: &Result<Arguments, clap::Error>| match parsed {
            Ok(parsed) => format!("{parsed:?}"),
            Err(error) => error.render().to_string(),
        };
        let part = part_for(&arguments, &Arguments::command()).map(|part| parse_by(part, &arguments));
        if let Some(part @ Ok(_)) = &part {
            accepted += 1;
            assert_eq!(shown(part), shown(&whole), "{line}");
        }
        assert_eq!(shown(&parse(&arguments)), shown(&whole), "{line}");
    }
    assert!(accepted >= 8, "{accepted}");
}

#[test]
fn colour_is_known_before_the_rest_is_understood() {
    let cases = [
        ("smcp", clap::ColorChoice::Auto),
        ("smcp --nonsense --color never", clap::ColorChoice::Never),
        ("smcp run --color=always x", clap::ColorChoice::Always),
        ("smcp --color=always --color never", clap::ColorChoice::Never),
        ("smcp --color", clap::ColorChoice::Auto),
        ("smcp --color purple", clap::ColorChoice::Auto),
        ("smcp --colors=always", clap::ColorChoice::Auto),
        ("smcp run x -- --color always", clap::ColorChoice::Auto),
    ];
    for (line, expected) in cases {
        assert_eq!(requested_color(&words(line)), expected, "{line}");
    }
}

#[test]
fn a_decision_is_known_before_the_rest_is_understood() {
    let cases = [
        ("smcp run x", true),
        ("smcp -v --config policy run x --dry-run", true),
        ("smcp policy eval --facts f.json", true),
        ("smcp --registry=x policy check x", true),
        ("smcp policy list", false),
        ("smcp policy -v eval", false),
        ("smcp cache run", false),
        ("smcp -- run x", false),
        ("smcp --config", false),
        ("smcp", false),
    ];
    for (line, expected) in cases {
        assert_eq!(asks_for_decision(&words(line)), expected, "{line}");
    }
}

#[test]
fn a_launch_is_known_before_the_rest_is_understood() {
    let cases = [
        ("smcp run", true),
        ("smcp run --nonsense", true),
        ("smcp --config run -v run x", true),
        ("smcp --config=x --color never run", true),
        ("smcp run x -- --dry-run", true),
        ("smcp run --dry-run", false),
        ("smcp --config run", false),
        ("smcp policy run", false),
        ("smcp -- run", false),
        ("smcp", false),
    ];
    for (line, expected) in cases {
        assert_eq!(is_launch(&words(line)), expected, "{line}");
    }
}

#[test]
fn standard_output_of_a_launch_stays_the_servers() {
    let cases = [
        ("smcp --json run", AnswerFormat::Human),
        ("smcp run --format sarif x", AnswerFormat::Human),
        ("smcp --json run --dry-run", AnswerFormat::Json),
        ("smcp run x --dry-run --format=sarif", AnswerFormat::Sarif),
        ("smcp policy check --json", AnswerFormat::Json),
        ("smcp policy check --format junit", AnswerFormat::Junit),
        ("smcp policy check --format xml", AnswerFormat::Human),
        ("smcp policy check", AnswerFormat::Human),
        ("smcp run x --dry-run -- --json", AnswerFormat::Human),
    ];
    for (line, expected) in cases {
        assert_eq!(requested_format(&words(line)), expected, "{line}");
    }
}
