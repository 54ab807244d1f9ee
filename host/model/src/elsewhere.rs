//! Recognises commands that run code which is in no file of the package.
//!
//! `node /opt/x.js` and `python3 -c …` are judged by the files of a package that runs something else. As with
//! [`Fetches`](crate::fetches::Fetches) the words tell it, for the reader of a decision; it does not protect.

use std::fmt;

use crate::fetches;
use crate::manifest::Entrypoint;

/// The words by which other code runs, such as `node -e`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunsElsewhere(String);

/// An interpreter, its options that take code as text, and those that take a file which runs before the script.
type Interpreter = (&'static str, &'static [&'static str], &'static [&'static str]);

const JAVASCRIPT: &[&str] = &["-e", "--eval", "-p", "--print", "-pe"];
const BEFORE: &[&str] = &["-r", "--require", "--import", "--preload", "--loader", "--experimental-loader"];

/// What a shell is given as text has often nothing else in it than the start of a file in the package.
const INTERPRETERS: [Interpreter; 13] = [
    ("node", JAVASCRIPT, BEFORE),
    ("bun", JAVASCRIPT, BEFORE),
    ("deno", &["eval"], BEFORE),
    ("python", &["-c"], &[]),
    ("py", &["-c"], &[]),
    ("ruby", &["-e"], &["-r"]),
    ("perl", &["-e", "-E"], &[]),
    ("php", &["-r"], &[]),
    ("sh", &[], &[]),
    ("bash", &[], &[]),
    ("dash", &[], &[]),
    ("zsh", &[], &[]),
    ("fish", &[], &[]),
];

impl RunsElsewhere {
    /// Returns the words of an entrypoint by which other code runs; `None` when they don't show it.
    pub fn of(entrypoint: &Entrypoint) -> Option<Self> {
        let Entrypoint { command, args, workdir, .. } = entrypoint;
        let program = fetches::program(command);
        let (name, texts, before) = INTERPRETERS.iter().find(|(name, ..)| *name == program)?;
        let found = |words: &str| Some(Self(format!("{name} {words}")));
        let leaves = |path: &str| leaves(path, workdir.as_deref().unwrap_or_default());
        let mut words = args.iter().map(String::as_str);
        while let Some(word) = words.next() {
            let (option, value) = word.split_once('=').map_or((word, None), |(option, value)| (option, Some(value)));
            if texts.contains(&option) {
                return found(option);
            }
            if before.contains(&option) {
                let file = value.or_else(|| words.next()).unwrap_or_default();
                if leaves(file) {
                    return found(&format!("{option} {file}"));
                }
                continue;
            }
            match word {
                // A module is looked for where the package has its own; a text of a shell is not read.
                "-m" | "-c" => return None,
                // Subcommands.
                "run" if ["deno", "bun"].contains(name) => {}
                _ if word.starts_with('-') => {}
                script if leaves(script) => return found(script),
                _ => return None,
            }
        }
        None
    }

    /// The remark for people, in one sentence.
    pub fn sentence(&self) -> String {
        format!(
            "`{self}` runs code that is in no file of the package, so the policies have not judged all that will run"
        )
    }
}

impl fmt::Display for RunsElsewhere {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Whether the path of a file leads out of a package, from a folder in it.
fn leaves(path: &str, workdir: &str) -> bool {
    let is_address = ["data:", "file:", "blob:"].iter().any(|scheme| path.starts_with(scheme)) || path.contains("://");
    // What a variable stands for, whoever starts the server says.
    if path.starts_with('/') || is_address || path.contains("${") {
        return true;
    }
    let mut depth = 0_usize;
    workdir.split('/').chain(path.split('/')).any(|part| match (part, depth) {
        ("" | ".", _) => false,
        ("..", 0) => true,
        ("..", _) => {
            depth = depth.saturating_sub(1);
            false
        }
        _ => {
            depth = depth.saturating_add(1);
            false
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(line: &str, workdir: Option<&str>) -> Option<String> {
        let mut words = line.split(' ').map(str::to_owned);
        let command = words.next().unwrap();
        let env = std::collections::BTreeMap::new();
        let workdir = workdir.map(str::to_owned);
        RunsElsewhere::of(&Entrypoint { command, args: words.collect(), env, workdir }).map(|it| it.to_string())
    }

    #[test]
    fn code_that_is_in_no_file_of_the_package_is_seen() {
        let cases = [
            ("node /tmp/evil.js", "node /tmp/evil.js"),
            ("/usr/bin/node22 --no-warnings /tmp/evil.js x.js", "node /tmp/evil.js"),
            ("node -r /tmp/evil.js server.js", "node -r /tmp/evil.js"),
            ("node -r ./fine.js --require=/tmp/evil.js server.js", "node --require /tmp/evil.js"),
            ("node --import data:text/javascript,x server.js", "node --import data:text/javascript,x"),
            ("node --import file:///tmp/x.mjs server.js", "node --import file:///tmp/x.mjs"),
            ("node -e x server.js", "node -e"),
            ("node --eval=x", "node --eval"),
            ("node ${HOME}/evil.js", "node ${HOME}/evil.js"),
            ("node ../evil.js", "node ../evil.js"),
            ("node a/../../evil.js", "node a/../../evil.js"),
            ("node -- /tmp/evil.js", "node /tmp/evil.js"),
            ("bun run /tmp/evil.ts", "bun /tmp/evil.ts"),
            ("deno eval x", "deno eval"),
            ("deno run -A /tmp/evil.ts", "deno /tmp/evil.ts"),
            ("python3.12 -I -c x", "python -c"),
            ("python3 /tmp/evil.py", "python /tmp/evil.py"),
            ("bash /tmp/evil.sh", "bash /tmp/evil.sh"),
            ("ruby -e x", "ruby -e"),
        ];
        for (line, expected) in cases {
            assert_eq!(found(line, None).as_deref(), Some(expected), "{line}");
        }
    }

    #[test]
    fn what_starts_a_file_of_the_package_is_none() {
        let cases = [
            "node server.js /data ../x ${HOME}",
            "node ./dist/../server.js -e x",
            "node -r dotenv/config --import ./a.mjs server.js",
            "node --import=tsx server.ts",
            "python3 -S -B start.py -c",
            "python3 -m server -c /etc/x",
            "sh -c server",
            "bash start.sh /data",
            "deno run --allow-read server.ts",
            "bin/server -e /tmp/x",
            "node",
        ];
        for line in cases {
            assert_eq!(found(line, None), None, "{line}");
        }
        assert_eq!(found("node ../other/server.js", Some("files")), None);
        assert!(found("node ../../server.js", Some("files")).is_some());
    }
}
