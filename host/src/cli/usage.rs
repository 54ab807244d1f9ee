//! Improves the error for a wrong command line.
//!
//! Commands of other programs get a hint to the command of smcp, and nothing that was typed can steer the terminal.

use clap::builder::StyledStr;
use clap::error::ContextKind;
use clap::error::ContextValue;

use smcp_model::package::PackageRef;
use smcp_model::text::SafeText;

/// Commands of other programs for what smcp calls something else, or does not do, each with a hint.
const ELSEWHERE: [(&[&str], &str); 17] = [
    (
        &["list", "ls"],
        "`smcp registry list` lists packages, `smcp policy list` policies, and `smcp cache ls` downloads",
    ),
    (&["search", "find"], "there is no search; `smcp registry list` lists the packages of a registry directory"),
    (
        &["install", "add", "i", "download", "fetch", "get"],
        "nothing has to be installed: `smcp run` fetches what it starts, and `smcp pull` fetches it ahead",
    ),
    (
        &["uninstall", "remove", "rm", "delete"],
        "`smcp cache rm` removes a download; what a client starts stands in the client's own file",
    ),
    (
        &["update", "upgrade", "outdated"],
        "a version never changes: name another one in `smcp run`, and in the client's file",
    ),
    (&["start", "exec", "launch", "x"], "`smcp run` starts a package: ORG/NAME@VERSION"),
    (
        &["npx", "npm", "uvx", "uv", "pipx"],
        "`smcp import` makes a package of a server that they start, and `smcp run` starts it",
    ),
    (&["docker"], "`smcp run` starts packages of a registry; `smcp registry publish` makes one of a server's files"),
    (
        &["check", "verify"],
        "`smcp policy check` decides about a package, `smcp config validate` checks the configuration, and `smcp audit \
         verify` the audit log",
    ),
    (&["test"], "`smcp policy test` runs the cases of a policy, and `smcp policy check` decides about a package"),
    (&["eval", "inspect"], "`smcp policy eval` judges facts, and `smcp policy inspect` shows a component"),
    (
        &["validate", "schema"],
        "`smcp config validate` checks the configuration, and `smcp config schema` has its schema",
    ),
    (
        &["show", "view", "describe"],
        "`smcp info` shows a package, `smcp config show` the configuration, and `smcp audit show` a decision",
    ),
    (
        &["publish", "push", "serve", "import"],
        "`smcp registry publish` makes a package of a folder, and `smcp registry serve` serves a registry directory",
    ),
    (&["gc", "clean", "prune"], "`smcp cache gc` removes downloads that nobody knows any more"),
    (&["log", "logs", "history"], "`smcp audit tail` shows the last decisions"),
    (&["status", "diagnose", "health"], "`smcp doctor` says whether `smcp run` could work here"),
];

/// Returns the error with a hint where there is one, and without characters that could steer a terminal.
pub(super) fn improved(mut error: clap::Error) -> clap::Error {
    let unsafe_parts: Vec<_> = error.context().filter_map(|(kind, value)| Some((kind, harmless(value)?))).collect();
    for (kind, value) in unsafe_parts {
        error.insert(kind, value);
    }
    if let Some(hint) = hint(&error) {
        error.remove(ContextKind::SuggestedSubcommand);
        error.insert(ContextKind::Suggested, ContextValue::StyledStrs(vec![StyledStr::from(hint)]));
    }
    error
}

/// Returns what was typed without characters that could steer a terminal; `None` for what clap itself wrote.
fn harmless(value: &ContextValue) -> Option<ContextValue> {
    let safe = |text: &String| SafeText::new(text).to_string();
    if let ContextValue::String(text) = value {
        return Some(ContextValue::String(safe(text)));
    }
    let ContextValue::Strings(texts) = value else { return None };
    Some(ContextValue::Strings(texts.iter().map(safe).collect()))
}

/// Returns what to do instead of a command that does not exist.
fn hint(error: &clap::Error) -> Option<String> {
    let Some(ContextValue::String(word)) = error.get(ContextKind::InvalidSubcommand) else { return None };
    // For a wrong subcommand, clap's list of subcommands is the better answer.
    let Some(ContextValue::StyledStr(usage)) = error.get(ContextKind::Usage) else { return None };
    if !usage.to_string().contains("smcp [OPTIONS] <COMMAND>") {
        return None;
    }
    if let Ok(reference) = word.parse::<PackageRef>() {
        return Some(format!("did you mean `smcp run {reference}`?"));
    }
    let of_word = |(words, _): &&(&[&str], &str)| words.contains(&word.to_ascii_lowercase().as_str());
    let elsewhere = ELSEWHERE.iter().find(of_word).map(|(_, hint)| (*hint).to_owned());
    let is_name = || word.contains(['/', '@']).then(|| "`smcp run` starts a package: ORG/NAME@VERSION".to_owned());
    elsewhere.or_else(is_name)
}

#[cfg(test)]
mod tests {
    use std::ffi::OsString;

    use clap::CommandFactory as _;

    use super::*;
    use crate::cli::args;
    use crate::cli::args::Arguments;

    fn rendered(words: &[&str]) -> String {
        let arguments: Vec<OsString> = words.iter().map(OsString::from).collect();
        improved(args::parse(&arguments).unwrap_err()).render().to_string()
    }

    #[test]
    fn words_of_other_programs_lead_to_ours() {
        let cases = [
            (&["smcp", "acme/x@1.0.0"][..], "tip: did you mean `smcp run acme/x@1.0.0`?"),
            (&["smcp", "-v", "acme/x@latest", "--flag"], "tip: did you mean `smcp run acme/x@latest`?"),
            (&["smcp", "@scope/x"], "tip: `smcp run` starts a package: ORG/NAME@VERSION"),
            (&["smcp", "list"], "tip: `smcp registry list` lists packages"),
            (&["smcp", "LIST"], "tip: `smcp registry list` lists packages"),
            (&["smcp", "search", "files"], "tip: there is no search"),
            (&["smcp", "install", "acme/x@1"], "tip: nothing has to be installed"),
            (&["smcp", "rum"], "similar subcommand exists: 'run'"),
            (&["smcp", "policy", "complie"], "similar subcommand exists: 'compile'"),
        ];
        for (words, says) in cases {
            let text = rendered(words);
            assert!(text.contains(says), "{words:?}: {text}");
            assert!(text.matches("tip:").count() == 1, "one way and not two: {text}");
        }
    }

    #[test]
    fn every_hint_names_commands_that_there_are() {
        let mut root = Arguments::command();
        root.build();
        let mut named = 0;
        for (_, hint) in ELSEWHERE {
            for line in hint.split('`').skip(1).step_by(2).filter_map(|line| line.strip_prefix("smcp ")) {
                let found = line.split(' ').try_fold(&root, |command, word| command.find_subcommand(word));
                assert!(found.is_some_and(|command| !command.has_subcommands()), "{line}");
                named += 1;
            }
        }
        assert!(named > ELSEWHERE.len());
    }

    #[test]
    fn nothing_that_was_typed_steers_a_terminal() {
        let evil = "a\u{202e}b\u{1b}[2Jc\u{7}\u{200b}";
        let option = format!("--{evil}");
        let cases = [
            &["smcp", evil][..],
            &["smcp", "policy", evil],
            &["smcp", &option],
            &["smcp", "run", evil],
            &["smcp", "run", "acme/x@1", evil],
            &["smcp", "--color", evil, "run"],
            &["smcp", "run", "--timeout", evil, "acme/x@1"],
            &["smcp", "run", "--warning-threshold", evil, "acme/x@1"],
            &["smcp", "mcp-config", "acme/x@1", "--client", evil],
        ];
        for words in cases {
            let text = rendered(words);
            let hidden: Vec<_> = text
                .chars()
                .filter(|c| *c != '\n' && SafeText::new(&c.to_string()).as_str() != c.to_string())
                .collect();
            assert!(hidden.is_empty(), "{words:?}: {text:?}");
        }
    }
}
