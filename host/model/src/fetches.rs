//! Recognises commands that download the program that they run.
//!
//! A package that is only `npx -y something` is judged by its two hundred bytes, but runs the code that the network has
//! that day. Such a command is recognised by its words alone. This helps the reader of a decision; it does not protect,
//! since any program can download.

mod script;

use std::fmt;

use crate::manifest::Entrypoint;

/// The words of a command that fetches, such as `npx` or `docker run`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fetches(String);

/// Programs that fetch with any arguments.
const ALWAYS: [&str; 10] = ["npx", "pnpx", "bunx", "uvx", "pipx", "dnx", "dlx", "nix-shell", "curl", "wget"];

/// Programs that fetch with one of these subcommands. A second word may come anywhere after the first.
const SUBCOMMANDS: [(&str, &[&str]); 20] = [
    ("npm", &["exec", "x", "install", "i", "ci", "add", "init", "create", "update"]),
    ("pnpm", &["dlx", "install", "i", "add", "create", "update"]),
    ("yarn", &["dlx", "add", "install", "create"]),
    ("bun", &["x", "install", "i", "add", "create"]),
    ("uv", &["run", "tool run", "tool install", "pip install", "pip sync", "sync", "add"]),
    ("pip", &["install", "download", "wheel"]),
    ("conda", &["install", "create"]),
    (
        "docker",
        &["run", "pull", "create", "container run", "container create", "image pull", "compose up", "compose run"],
    ),
    (
        "podman",
        &["run", "pull", "create", "container run", "container create", "image pull", "compose up", "compose run"],
    ),
    ("nerdctl", &["run", "pull", "create", "container run", "compose up", "compose run"]),
    ("dotnet", &["tool exec", "tool install", "tool restore", "restore"]),
    ("nix", &["run", "shell", "develop"]),
    ("go", &["install", "get"]),
    ("cargo", &["install", "binstall"]),
    ("gem", &["install", "exec"]),
    ("bundle", &["install"]),
    ("brew", &["install"]),
    ("apt-get", &["install"]),
    ("apk", &["add"]),
    ("git", &["clone", "pull", "fetch"]),
];

/// Programs that start the command after their own options.
const WRAPPERS: [&str; 15] = [
    "env", "timeout", "nohup", "nice", "ionice", "setsid", "stdbuf", "sudo", "doas", "time", "exec", "eval", "command",
    "xvfb-run", "busybox",
];

/// Programs that take a script as the argument of an option.
const SHELLS: [&str; 7] = ["sh", "bash", "dash", "ash", "zsh", "ksh", "fish"];

/// Programs that run a file or a module.
const INTERPRETERS: [&str; 4] = ["node", "python", "py", "bun"];

/// Files of tools that fetch, given to an interpreter: `node …/npm/bin/npx-cli.js`.
const TOOLS: [&str; 8] = ["npx-cli.js", "npm-cli.js", "pnpm.cjs", "yarn.js", "pip", "pip3", "pipx", "uvx"];

/// The most wrappers inside one another that are followed: people write two.
const DEPTH: usize = 6;

impl Fetches {
    /// Returns the command that an entrypoint fetches with; `None` when its words don't show that it fetches.
    pub fn of(entrypoint: &Entrypoint) -> Option<Self> {
        let words: Vec<String> = std::iter::once(&entrypoint.command).chain(&entrypoint.args).cloned().collect();
        command(&words, DEPTH).map(Self)
    }

    /// The words.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The remark for people, in one sentence.
    pub fn sentence(&self) -> String {
        format!(
            "`{self}` fetches what it runs when it starts, so the policies have not judged all that will run; \
             a package that brings its own files is judged whole"
        )
    }
}

impl fmt::Display for Fetches {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Returns the words that a command fetches with; `None` when its words don't show that it fetches.
fn command(words: &[String], depth: usize) -> Option<String> {
    let depth = depth.checked_sub(1)?;
    let (first, rest) = words.split_first()?;
    let program = program(first);
    let program = program.as_str();
    if ALWAYS.contains(&program) {
        return Some(program.to_owned());
    }
    if let Some((_, known)) = SUBCOMMANDS.iter().find(|(name, _)| *name == program)
        && let Some(found) = subcommand(rest, known)
    {
        return Some(format!("{program} {found}"));
    }
    match program {
        "deno" => rest.iter().any(|word| is_remote(word)).then(|| "deno run".to_owned()),
        "go" => go(rest),
        "yarn" if rest.is_empty() => Some("yarn".to_owned()),
        "cmd" => text(behind(rest, '/', |option| ["/c", "/k"].contains(&option))?, depth),
        "powershell" | "pwsh" => text(behind(rest, '-', |option| ["-c", "-command"].contains(&option))?, depth),
        _ if SHELLS.contains(&program) => text(behind(rest, '-', is_script_option)?.get(..1)?, depth),
        _ if WRAPPERS.contains(&program) => wrapped(rest, depth),
        _ if INTERPRETERS.contains(&program) => interpreted(rest, depth),
        _ => None,
    }
}

/// A program's name without folder, ending and version: `/usr/bin/pip3.12` is `pip`, `NPX.CMD` is `npx`.
pub(crate) fn program(word: &str) -> String {
    let name = word.rsplit(['/', '\\']).next().unwrap_or(word).to_ascii_lowercase();
    let name = [".exe", ".cmd", ".bat", ".ps1"].iter().find_map(|end| name.strip_suffix(end)).unwrap_or(&name);
    let bare = match name {
        "npx-cli.js" => "npx",
        "npm-cli.js" => "npm",
        "pnpm.cjs" => "pnpm",
        "yarn.js" => "yarn",
        other => other.trim_end_matches(|character: char| character.is_ascii_digit() || character == '.'),
    };
    if bare.is_empty() { name.to_owned() } else { bare.to_owned() }
}

/// Returns the known subcommand after any options. A word after an option may be the option's value.
fn subcommand(words: &[String], known: &[&'static str]) -> Option<&'static str> {
    let mut behind_option = false;
    for (at, word) in words.iter().enumerate() {
        if word.starts_with('-') {
            behind_option = !word.contains('=');
            continue;
        }
        let follows = |second: &str| words.iter().skip(at + 1).any(|word| word == second);
        let meant = |known: &&&str| match known.split_once(' ') {
            None => **known == word.as_str(),
            Some((first, second)) => first == word && follows(second),
        };
        if let Some(found) = known.iter().find(meant) {
            return Some(found);
        }
        if !behind_option {
            return None;
        }
        behind_option = false;
    }
    None
}

/// `go run` fetches a module that is named with its version.
fn go(words: &[String]) -> Option<String> {
    let (first, rest) = words.split_first()?;
    (first == "run" && rest.iter().any(|word| word.contains('@'))).then(|| "go run".to_owned())
}

fn is_remote(word: &str) -> bool {
    ["https:", "http:", "npm:", "jsr:"].iter().any(|scheme| word.starts_with(scheme))
}

/// Whether this is `-c`, alone or last among joined letters: `-lc`, `-euxc`.
fn is_script_option(option: &str) -> bool {
    option.strip_prefix('-').is_some_and(|letters| !letters.starts_with('-') && letters.ends_with('c'))
}

/// Returns the words after such an option, which comes before any other word. Each option before it may have a value.
fn behind(words: &[String], mark: char, is_option: impl Fn(&str) -> bool) -> Option<&[String]> {
    let mut behind_option = false;
    for (at, word) in words.iter().enumerate() {
        if is_option(&word.to_ascii_lowercase()) {
            return words.get(at + 1..);
        }
        let option = word.starts_with(mark);
        if !option && !behind_option {
            return None;
        }
        behind_option = option;
    }
    None
}

/// Returns the words that a script fetches with. `words` are parts of one text.
fn text(words: &[String], depth: usize) -> Option<String> {
    script::commands(&words.join(" ")).iter().find_map(|words| command(words, depth))
}

/// Returns the words that the command after a wrapper's options, variables and numbers fetches with.
fn wrapped(words: &[String], depth: usize) -> Option<String> {
    let mut behind_option = false;
    for (at, word) in words.iter().enumerate() {
        // `env -S "npx x"`: one argument that is split into words.
        if let Some(found) = word.contains(' ').then(|| text(std::slice::from_ref(word), depth)).flatten() {
            return Some(found);
        }
        if word.starts_with('-') {
            behind_option = !word.contains('=');
            continue;
        }
        if word.contains('=') || word.starts_with(|first: char| first.is_ascii_digit()) {
            behind_option = false;
            continue;
        }
        let found = words.get(at..).and_then(|rest| command(rest, depth));
        if found.is_some() || !behind_option {
            return found;
        }
        behind_option = false;
    }
    None
}

/// `python -m pip install …`, or a file that is itself a tool: `node …/npx-cli.js`.
fn interpreted(words: &[String], depth: usize) -> Option<String> {
    let mut behind_option = false;
    for (at, word) in words.iter().enumerate() {
        if word == "-m" {
            return words.get(at + 1..).and_then(|rest| command(rest, depth));
        }
        // A program given as text on the command line is not examined.
        if ["-c", "-e", "--eval", "-p", "--print"].contains(&word.as_str()) {
            return None;
        }
        if word.starts_with('-') {
            behind_option = !word.contains('=');
            continue;
        }
        let name = word.rsplit('/').next().unwrap_or(word);
        if TOOLS.contains(&name) {
            return words.get(at..).and_then(|rest| command(rest, depth));
        }
        if !behind_option {
            return None;
        }
        behind_option = false;
    }
    None
}

#[cfg(test)]
mod tests;
