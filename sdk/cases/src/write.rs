//! Writes an expectation as YAML.

use std::fmt::Write as _;

use crate::expect::Expectation;
use crate::expect::ExpectedFinding;
use crate::expect::ExpectedProblem;
use smcp_yaml::Bounds;
use smcp_yaml::YamlNode;
use smcp_yaml::parse;

/// The greatest length of a list in brackets on one line, characters.
const LINE: usize = 80;

/// Writes the value of `expect` inside braces, or on the line of the key.
pub(crate) fn inline(expect: &Expectation) -> String {
    match expect {
        Expectation::Verdict { violations, notices } => {
            let lists = [("violations", violations), ("notices", notices)];
            let written: Vec<_> = lists
                .into_iter()
                .filter(|(_, findings)| !findings.is_empty())
                .map(|(name, findings)| format!("{name}: {}", brackets(findings.iter().map(finding))))
                .collect();
            if written.is_empty() { "allow".to_owned() } else { format!("{{{}}}", written.join(", ")) }
        }
        Expectation::Problems(problems) => format!("{{problems: {}}}", brackets(problems.iter().map(problem))),
        Expectation::Fault(kind) => format!("{{fault: {kind}}}"),
    }
}

/// Writes the value of `expect` in a block: the rest of its line, and the lines below, with their indent from the key.
pub(crate) fn block(expect: &Expectation) -> (String, Vec<String>) {
    match expect {
        Expectation::Verdict { violations, notices } if !(violations.is_empty() && notices.is_empty()) => {
            let mut lines = Vec::new();
            list("violations", &violations.iter().map(finding).collect::<Vec<_>>(), &mut lines);
            list("notices", &notices.iter().map(finding).collect::<Vec<_>>(), &mut lines);
            (String::new(), lines)
        }
        Expectation::Problems(problems) => {
            let mut lines = Vec::new();
            list("problems", &problems.iter().map(problem).collect::<Vec<_>>(), &mut lines);
            (String::new(), lines)
        }
        Expectation::Verdict { .. } | Expectation::Fault(_) => (inline(expect), Vec::new()),
    }
}

/// Writes a list that is not empty: in brackets when it is short, else one item per line.
fn list(name: &str, items: &[String], lines: &mut Vec<String>) {
    if items.is_empty() {
        return;
    }
    let short = format!("{name}: {}", brackets(items.iter().cloned()));
    if short.chars().count() <= LINE {
        lines.push(short);
    } else {
        lines.push(format!("{name}:"));
        lines.extend(items.iter().map(|item| format!("  - {item}")));
    }
}

fn brackets(items: impl Iterator<Item = String>) -> String {
    format!("[{}]", items.collect::<Vec<_>>().join(", "))
}

fn finding(finding: &ExpectedFinding) -> String {
    let ExpectedFinding { code, message, fact } = finding;
    with_parts(code, "code", &[("fact", fact), ("message", message)])
}

fn problem(problem: &ExpectedProblem) -> String {
    let ExpectedProblem { path, message } = problem;
    with_parts(path, "path", &[("message", message)])
}

/// Writes a name alone, or in braces with its parts.
fn with_parts(name: &str, key: &str, parts: &[(&str, &Option<String>)]) -> String {
    let written: Vec<_> =
        parts.iter().filter_map(|(part, text)| Some(format!("{part}: {}", scalar(text.as_deref()?)))).collect();
    if written.is_empty() { scalar(name) } else { format!("{{{key}: {}, {}}}", scalar(name), written.join(", ")) }
}

/// Writes a text: plain when YAML reads it as this text, in braces and after a dash; else in double quotes.
fn scalar(text: &str) -> String {
    let bounds = Bounds { document: "a text", expanded: text.len().saturating_mul(2).saturating_add(100), brackets: 4 };
    let same = |node: &YamlNode| matches!(node, YamlNode::Text(read) if read == text);
    let in_braces = || match parse(&format!("{{k: {text}}}\n"), &bounds) {
        Ok(YamlNode::Map(entries)) => matches!(entries.as_slice(), [(_, value)] if same(value)),
        Ok(_) | Err(_) => false,
    };
    let in_list = || match parse(&format!("- {text}\n"), &bounds) {
        Ok(YamlNode::List(items)) => matches!(items.as_slice(), [item] if same(item)),
        Ok(_) | Err(_) => false,
    };
    // Never plain: quotes, comments and line breaks would be read as the same text only by chance.
    let has_plain_characters = !text.contains(['"', '\'', '#', '\n', '\r', '\\']);
    if has_plain_characters && in_braces() && in_list() { text.to_owned() } else { quoted(text) }
}

/// Writes a text in double quotes.
fn quoted(text: &str) -> String {
    let mut written = "\"".to_owned();
    for character in text.chars() {
        match character {
            '"' | '\\' => written.extend(['\\', character]),
            '\n' => written.push_str("\\n"),
            '\r' => written.push_str("\\r"),
            '\t' => written.push_str("\\t"),
            // Characters that YAML forbids or takes for a line break, or that an editor hides.
            hidden if hidden.is_control() || matches!(hidden, '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fffe}'..) => {
                let _infallible = write!(written, "\\U{:08x}", u32::from(hidden));
            }
            visible => written.push(visible),
        }
    }
    written.push('"');
    written
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_text_is_plain_where_it_can_be() {
        let cases = [
            ("score-unknown", "score-unknown"),
            ("security score 60 is below minimum", "security score 60 is below minimum"),
            ("/allow/0", "/allow/0"),
            ("", "\"\""),
            ("a, b", "\"a, b\""),
            ("a: b", "\"a: b\""),
            ("a #b", "\"a #b\""),
            ("it's", "\"it's\""),
            ("say \"x\" \\", "\"say \\\"x\\\" \\\\\""),
            ("80", "\"80\""),
            ("1e5", "\"1e5\""),
            ("0x1f", "\"0x1f\""),
            ("null", "\"null\""),
            ("true", "\"true\""),
            ("-", "\"-\""),
            (" a", "\" a\""),
            ("[a]", "\"[a]\""),
            ("{a}", "\"{a}\""),
            ("*a", "\"*a\""),
            ("a\u{7f}\u{2028}", "\"a\\U0000007f\\U00002028\""),
        ];
        for (text, written) in cases {
            assert_eq!(scalar(text), written);
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn a_text_is_read_back(text in "(?s).{0,12}|[-a-z0-9]{1,6}|[ -~]{0,10}") {
            let bounds = Bounds { document: "a text", expanded: 10_000, brackets: 100 };
            let written = scalar(&text);
            let expected = YamlNode::List(vec![YamlNode::Text(text)]);
            prop_assert_eq!(parse(&format!("[{written}]\n"), &bounds), Ok(expected.clone()), "{}", written);
            prop_assert_eq!(parse(&format!("- {written}\n"), &bounds), Ok(expected), "{}", written);
        }
    }
}
