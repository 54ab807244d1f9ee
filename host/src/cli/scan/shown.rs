//! What of a command that is not smcp's may be shown.
//!
//! Arguments and URLs may hold secrets: of both only what names the server is shown.

use std::collections::BTreeMap;
use std::path::Path;

use crate::cli::scan::package;
use crate::cli::scan::package::Fetcher;
use crate::cli::scan::package::PackagedLine;
use smcp_authority as authority;
use smcp_model::fetches::Fetches;
use smcp_model::manifest::Entrypoint;
use smcp_model::scan::PastKind;
use smcp_model::scan::StartWay;
use smcp_model::text::SafeText;

/// Options of `docker run` whose value is a word of its own, as lines of servers have them.
const DOCKER_OPTIONS: [&str; 34] = [
    "-e",
    "--env",
    "--env-file",
    "-v",
    "--volume",
    "--mount",
    "--name",
    "--network",
    "--net",
    "-p",
    "--publish",
    "-w",
    "--workdir",
    "-u",
    "--user",
    "--platform",
    "--entrypoint",
    "--pull",
    "-h",
    "--hostname",
    "--add-host",
    "-l",
    "--label",
    "--memory",
    "-m",
    "--cpus",
    "--gpus",
    "--cap-add",
    "--cap-drop",
    "--security-opt",
    "--restart",
    "--tmpfs",
    "--device",
    "--dns",
];
/// Its options without a value.
const DOCKER_SWITCHES: [&str; 8] =
    ["--interactive", "--tty", "--rm", "--init", "--detach", "--privileged", "--read-only", "--sig-proxy"];
/// Its letters without a value, which may be joined.
const DOCKER_LETTERS: &str = "itdP";
/// The endings of files that an interpreter runs.
const SCRIPTS: [&str; 7] = [".js", ".mjs", ".cjs", ".ts", ".py", ".sh", ".rb"];
/// How options of interpreters without a value begin.
const SWITCHES: [&str; 4] = ["--no-", "--experimental-", "--enable-", "--allow-"];
/// Their letters without a value.
const LETTERS: [&str; 8] = ["-u", "-B", "-E", "-I", "-O", "-s", "-S", "-A"];
/// The programs of containers.
const CONTAINERS: [&str; 3] = ["docker", "podman", "nerdctl"];

/// Returns the words of a line that stands in the place of a program, without the variables at its beginning; `None` when
/// a program stands there.
pub(super) fn whole_line(words: &[String]) -> Option<Vec<String>> {
    let (first, rest) = words.split_first()?;
    let is_line = first.contains(|letter: char| letter.is_whitespace() || letter == '=') || first.contains("://");
    // The folders of a program may have spaces in their names.
    if !is_line || first.starts_with('/') && authority::exists(Path::new(first)).unwrap_or_default() {
        return None;
    }
    let words: Vec<&str> = first.split_whitespace().collect();
    let begin = words.iter().position(|word| !word.contains('=')).unwrap_or(words.len());
    let (variables, line) = words.split_at_checked(begin)?;
    let is_quoted = |word: &&str| word.contains(['"', '\'', '`', '\\', '(']);
    let is_plain = |word: &&str| !word.contains(['"', '\'', '`', '\\', '$', '(', '<', '>', '|', ';', '&', ':', '@']);
    // Where a value has spaces, what follows is no program.
    let is_known = !variables.iter().any(is_quoted) && line.first().is_some_and(is_plain);
    let line = if is_known { line } else { &["a line"] };
    let line = line.iter().map(|word| (*word).to_owned());
    Some(line.chain(rest.iter().cloned()).collect())
}

/// Sorts a command that is not smcp.
pub(super) fn command(words: &[String], remark: Option<&str>) -> StartWay {
    let (first, rest) = words.split_first().map_or(("", &[][..]), |(first, rest)| (first.as_str(), rest));
    let env = BTreeMap::new();
    let entrypoint = Entrypoint { command: first.to_owned(), args: rest.to_vec(), env, workdir: None };
    let fetches = Fetches::of(&entrypoint).map(|fetches| fetches.to_string());
    let by = fetches.as_deref().and_then(|words| words.split(' ').next()).unwrap_or_default();
    let direct = package::fetcher(words).map(|(fetcher, _)| fetcher);
    let kind = match (direct, by) {
        (Some(Fetcher::Npm), _) | (None, "npx" | "pnpx" | "bunx" | "npm" | "pnpm" | "yarn" | "bun") => PastKind::Npx,
        (Some(Fetcher::Pypi), _) | (None, "uvx" | "pipx" | "uv" | "pip") => PastKind::Uvx,
        (None, by) if CONTAINERS.contains(&by) => PastKind::Docker,
        (None, _) => PastKind::Command,
    };
    let program = package::program(first);
    let named = match (PackagedLine::of(words), kind) {
        (Ok(line), _) => Some(line.source.to_string().replacen("npm:", "", 1).replacen("pypi:", "", 1)),
        (Err(_), PastKind::Docker) if CONTAINERS.contains(&program.as_str()) => {
            image(rest).map(|it| format!("run {it}"))
        }
        (Err(_), PastKind::Command) => script(rest),
        (Err(_), _) => None,
    };
    let what = match (&named, kind) {
        (Some(named), PastKind::Command) => format!("{first} {named}"),
        (Some(named), _) => format!("{program} {named}"),
        // The program is a shell or a wrapper, and what it starts is what counts.
        (None, PastKind::Npx | PastKind::Uvx | PastKind::Docker) if program != by => format!("{first} … {by}"),
        (None, _) => first.to_owned(),
    };
    StartWay::Past {
        kind,
        what: SafeText::quoted(&what),
        fetches: fetches.is_some(),
        remark: remark.map(SafeText::new),
    }
}

/// The image that a container is made of, where the line says it plainly.
fn image(words: &[String]) -> Option<&str> {
    let (run, rest) = words.split_first()?;
    let mut rest = if run == "run" { rest.iter() } else { return None };
    while let Some(word) = rest.next() {
        if !word.starts_with('-') {
            let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"./:@_-".contains(&byte);
            return word.bytes().all(is_plain).then_some(word);
        }
        let letters = word.trim_start_matches('-');
        let is_one_word = word.contains('=')
            || DOCKER_SWITCHES.contains(&word.as_str())
            || !word.starts_with("--") && letters.chars().all(|letter| DOCKER_LETTERS.contains(letter));
        match is_one_word {
            true => {}
            false if DOCKER_OPTIONS.contains(&word.as_str()) => drop(rest.next()),
            // Whether the next word is its value, and a secret, is not known.
            false => return None,
        }
    }
    None
}

/// The file that an interpreter runs.
fn script(words: &[String]) -> Option<String> {
    let (begin, word) = words.iter().enumerate().find(|(_, word)| !word.starts_with('-'))?;
    // Whether the word is the value of an option is known of few.
    let is_one_word = |option: &String| {
        option.contains('=')
            || SWITCHES.iter().any(|begin| option.starts_with(begin))
            || LETTERS.contains(&option.as_str())
    };
    if !words.get(..begin)?.iter().all(is_one_word) {
        return None;
    }
    // A whole script, and an address, may end like a file.
    let is_path = !word.contains(|letter: char| letter.is_whitespace() || "=?'\"`;&|<>".contains(letter))
        && !word.contains("://");
    (is_path && SCRIPTS.iter().any(|end| word.ends_with(end))).then(|| word.clone())
}

/// The scheme, host and port of a URL: its path and its query may hold a secret.
pub(super) fn host_of(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else { return "a URL".to_owned() };
    let host = rest.split(['/', '?', '#', '\\']).next().unwrap_or_default();
    let host = host.rsplit_once('@').map_or(host, |(_, host)| host);
    format!("{scheme}://{host}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_is_sorted_and_no_secret_of_it_is_shown() {
        let cases = [
            ("npx -y @scope/server@1.0.0 --key hunter2", PastKind::Npx, "npx @scope/server@1.0.0", true),
            ("npx --registry https://hunter2@evil.example x", PastKind::Npx, "npx", true),
            ("/usr/local/bin/uvx mcp-server-time", PastKind::Uvx, "uvx mcp-server-time", true),
            ("uv --directory /x run server.py", PastKind::Uvx, "uv", true),
            (
                "docker run -i --rm -e TOKEN=hunter2 -v /a:/b mcp/fetch:1 --key hunter2",
                PastKind::Docker,
                "docker run mcp/fetch:1",
                true,
            ),
            ("docker run -i --odd hunter2$ x", PastKind::Docker, "docker", true),
            ("docker run -i --odd hunter2 mcp/fetch", PastKind::Docker, "docker", true),
            ("docker run -it --odd=hunter2 -eX=hunter2 mcp/fetch", PastKind::Docker, "docker run mcp/fetch", true),
            ("docker run -iz hunter2 mcp/fetch", PastKind::Docker, "docker", true),
            ("npx x@https://hunter2@evil.example/x", PastKind::Npx, "npx", true),
            ("bun https://hunter2@x.example/s.ts", PastKind::Command, "bun", false),
            ("docker mcp gateway run", PastKind::Command, "docker", false),
            ("node /srv/x/index.js hunter2", PastKind::Command, "node /srv/x/index.js", false),
            ("node --no-warnings --max-old-space-size=99 x.js", PastKind::Command, "node x.js", false),
            ("node --token hunter2.js x.js", PastKind::Command, "node", false),
            ("python3 -u /x/y.py hunter2", PastKind::Command, "python3 /x/y.py", false),
            ("python3 -m server --token hunter2", PastKind::Command, "python3", false),
            ("/opt/tool/bin/server hunter2", PastKind::Command, "/opt/tool/bin/server", false),
            ("cmd /c npx -y x", PastKind::Npx, "cmd … npx", true),
            ("\u{1b}[2J", PastKind::Command, "\\u{1b}[2J", false),
        ];
        for (line, kind, shown, fetching) in cases {
            let words: Vec<String> = line.split(' ').map(str::to_owned).collect();
            let expected = StartWay::Past { kind, what: SafeText::new(shown), fetches: fetching, remark: None };
            assert_eq!(command(&words, None), expected, "{line}");
        }
        let script = ["sh", "-c", "exec npx -y x"].map(str::to_owned);
        assert!(matches!(command(&script, None), StartWay::Past { kind: PastKind::Npx, fetches: true, .. }));
        let script = ["bash", "-c", "KEY=hunter2 ./x.sh"].map(str::to_owned);
        assert!(!format!("{:?}", command(&script, None)).contains("hunter2"));
    }

    #[test]
    fn a_line_in_the_place_of_a_program_shows_no_more_than_its_words_would() {
        let cases = [
            ("npx -y foo --key hunter2", Some("npx foo")),
            ("TOKEN=hunter2 KEY=hunter2 npx foo", Some("npx foo")),
            ("TOKEN=hunter2", Some("a line")),
            ("KEY='a hunter2 b' npx foo", Some("a line")),
            ("KEY=hunter2 /usr/bin/smcp run a/b@1", Some("/usr/bin/smcp")),
            ("$(cat hunter2) x", Some("a line")),
            ("https://x.example/hunter2", Some("a line")),
            ("docker run -e KEY=hunter2 mcp/fetch", Some("docker run mcp/fetch")),
            ("npx", None),
            ("${HOME}/bin/tool", None),
        ];
        for (line, expected) in cases {
            let found = whole_line(&[line.to_owned()]).map(|line| match command(&line, None) {
                StartWay::Past { what, .. } => what.to_string(),
                StartWay::Gated { .. } => panic!("{line:?}"),
            });
            assert_eq!(found.as_deref(), expected, "{line}");
        }
    }

    #[test]
    fn of_a_url_only_the_host_is_shown() {
        let cases = [
            ("https://mcp.example/s/hunter2/mcp?key=hunter2#hunter2", "https://mcp.example"),
            ("https://user:hunter2@mcp.example:8443/", "https://mcp.example:8443"),
            ("http://localhost:3000", "http://localhost:3000"),
            ("hunter2", "a URL"),
        ];
        for (url, shown) in cases {
            assert_eq!(host_of(url), shown, "{url}");
        }
    }
}
