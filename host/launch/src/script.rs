//! Follows `#!` lines: which programs a command really starts.
//!
//! The system starts the interpreter of a script within one call, but `/usr/bin/env NAME` starts a second program, which
//! a server without other processes can't. So `env` is taken out: what it would look up is started in its place.

use std::ffi::OsStr;
use std::ffi::OsString;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;
use std::path::PathBuf;

use crate::IsProgram;
use crate::ReadHead;
use crate::search::on_path;

/// The longest chain of scripts that are interpreters of scripts; the system follows as many.
const DEPTH: usize = 4;
/// How far the system reads to find a script's interpreter, bytes.
const LINE: usize = 256;
/// Shells: a script of theirs on PATH is there to start another program.
const SHELLS: [&str; 7] = ["sh", "bash", "dash", "zsh", "ksh", "fish", "busybox"];

/// Finds programs, and reads how they begin.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Finder<'a> {
    pub(crate) search_path: Option<&'a OsStr>,
    pub(crate) is_program: IsProgram,
    pub(crate) read_head: ReadHead,
}

/// The programs behind a file, in the order in which they start each other.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Followed {
    /// The interpreters, `env` included.
    pub(crate) interpreters: Vec<PathBuf>,
    /// How many of them are named by the file, and by each other: the next one was found on PATH, by the user's choice.
    pub(crate) named: usize,
    /// What replaces the file, where `env` would have looked it up: a program, and what comes before the file in its
    /// arguments.
    pub(crate) direct: Option<(PathBuf, Vec<OsString>)>,
    /// The first of these files that a shell reads, and the shell.
    pub(crate) wrapper: Option<(PathBuf, PathBuf)>,
}

/// Follows the `#!` line of a file, and those of its interpreters. A path that is not absolute begins at `from`, the folder
/// that the server starts in.
pub(crate) fn follow(file: &Path, from: &Path, finder: Finder<'_>) -> Followed {
    let mut followed = Followed::default();
    let mut file = file.to_path_buf();
    let mut on_users_path = false;
    for depth in 0..DEPTH {
        let Some(words) = (finder.read_head)(&file).as_deref().and_then(words) else { break };
        let Some((interpreter, arguments)) = words.split_first() else { break };
        let interpreter = from.join(interpreter);
        followed.interpreters.push(interpreter.clone());
        followed.named += usize::from(!on_users_path);
        let looked_up = (interpreter.file_name() == Some(OsStr::new("env"))).then(|| named(arguments)).flatten();
        let reader = match looked_up {
            None => interpreter,
            Some((name, rest)) => {
                let found = on_path(&name.to_string_lossy(), finder.search_path, finder.is_program);
                let Ok(found) = found else { break };
                followed.interpreters.push(found.clone());
                on_users_path = true;
                if depth == 0 {
                    followed.direct = Some((found.clone(), rest));
                }
                found
            }
        };
        if followed.wrapper.is_none() && SHELLS.iter().any(|shell| reader.file_name() == Some(OsStr::new(shell))) {
            followed.wrapper = Some((file, reader.clone()));
        }
        file = reader;
    }
    followed
}

/// Returns the words of a `#!` line exactly as the system takes them, since whoever reads another program grants another
/// one: a program, and all the rest as one argument. Blanks are those two, and a zero ends either.
fn words(head: &[u8]) -> Option<Vec<OsString>> {
    let line = head.strip_prefix(b"#!")?;
    let line = line.get(..LINE - 2).unwrap_or(line).split(|byte| *byte == b'\n').next()?;
    let blank = |byte: &u8| matches!(byte, b' ' | b'\t');
    let line = line.get(line.iter().position(|byte| !blank(byte))?..)?;
    let end = line.iter().position(|byte| blank(byte) || *byte == 0).unwrap_or(line.len());
    let (interpreter, rest) = line.split_at_checked(end).filter(|(name, _)| !name.is_empty())?;
    let argument = rest.split(|byte| *byte == 0).next().unwrap_or_default();
    let first = argument.iter().position(|byte| !blank(byte));
    let last = argument.iter().rposition(|byte| !blank(byte));
    let argument = first.zip(last).and_then(|(first, last)| argument.get(first..=last));
    Some(std::iter::once(interpreter).chain(argument).map(|word| OsStr::from_bytes(word).to_owned()).collect())
}

/// Returns what `env` is asked to start by the one argument of a `#!` line, and the arguments that it passes on; `None`
/// when it is asked for more than that.
fn named(arguments: &[OsString]) -> Option<(OsString, Vec<OsString>)> {
    let argument = arguments.first()?.as_bytes();
    let split = argument.strip_prefix(b"-S").map(<[u8]>::trim_ascii);
    let words: Vec<&[u8]> = match split {
        Some(text) => text.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty()).collect(),
        None => vec![argument],
    };
    let (name, rest) = words.split_first()?;
    let plain = |word: &[u8]| !word.iter().any(|byte| b"'\"\\$".contains(byte));
    let is_name = !name.contains(&b'=') && !name.contains(&b'/') && !name.starts_with(b"-");
    let owned = |word: &&[u8]| OsStr::from_bytes(word).to_owned();
    (is_name && words.iter().all(|word| plain(word))).then(|| (owned(name), rest.iter().map(owned).collect()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn followed(file: &str) -> Followed {
        let finder = Finder {
            search_path: Some(OsStr::new("/shims:/bin")),
            is_program: |path| {
                let there = ["/bin/node", "/shims/python3", "/bin/bash", "/bin/python3"];
                there.iter().any(|name| path == Path::new(name)).then_some(true)
            },
            read_head: |path| {
                let text = match path.to_str()? {
                    "plain" => "#!/bin/node --flag x\n",
                    "env" => "#! /usr/bin/env node\nrest",
                    "split" => "#!/usr/bin/env -S node --flag -x",
                    "quoted" => "#!/usr/bin/env -S node '--a b'",
                    "variable" => "#!/usr/bin/env A=b",
                    "missing" => "#!/usr/bin/env ruby",
                    "python" => "#!/usr/bin/env python3",
                    "/shims/python3" => "#!/usr/bin/env bash\nexec pyenv",
                    "shell" => "#!/bin/sh",
                    "relative" => "#!bin/x",
                    "feed" => "#!\x0c/bin/node",
                    "return" => "#!/bin/node\r\n",
                    "zero" => "#!/bin/node\0/../secret\n",
                    "blanks" => "#! \t /bin/node \t a b \t\n",
                    _ => "\x7fELF",
                };
                Some(text.into())
            },
        };
        follow(Path::new(file), Path::new("/start"), finder)
    }

    fn paths(list: &[&str]) -> Vec<PathBuf> {
        list.iter().map(PathBuf::from).collect()
    }

    #[test]
    fn a_line_has_the_words_that_the_system_takes() {
        let words = |line: &str| {
            words(line.as_bytes())
                .map(|words| words.into_iter().map(|word| word.into_string().unwrap()).collect::<Vec<_>>())
        };
        for (line, expected) in [
            ("#! \t /bin/node \t a b \t\nrest", Some(&["/bin/node", "a b"][..])),
            ("#!/bin/node a\r\n", Some(&["/bin/node", "a\r"])),
            ("#!/bin/node a\0b\n", Some(&["/bin/node", "a"])),
            ("#!/bin/node\0 a\n", Some(&["/bin/node"])),
            ("#! \n/bin/node", None),
            ("#!\0/bin/node", None),
            ("/bin/node", None),
        ] {
            assert_eq!(
                words(line),
                expected.map(|words| words.iter().map(|word| (*word).to_owned()).collect()),
                "{line:?}"
            );
        }
    }

    #[test]
    fn interpreters_are_found_as_the_system_and_env_find_them() {
        let direct = |arguments: &[&str]| Some(("/bin/node".into(), arguments.iter().map(OsString::from).collect()));
        for (file, interpreters, expected) in [
            ("binary", &[][..], None),
            ("plain", &["/bin/node"], None),
            ("env", &["/usr/bin/env", "/bin/node"], direct(&[])),
            ("split", &["/usr/bin/env", "/bin/node"], direct(&["--flag", "-x"])),
            ("quoted", &["/usr/bin/env"], None),
            ("variable", &["/usr/bin/env"], None),
            ("missing", &["/usr/bin/env"], None),
            ("relative", &["/start/bin/x"], None),
            ("feed", &["/start/\x0c/bin/node"], None),
            ("return", &["/bin/node\r"], None),
            ("zero", &["/bin/node"], None),
            ("blanks", &["/bin/node"], None),
        ] {
            let found = followed(file);
            // What `env` finds is found on PATH.
            let named = interpreters.len() - usize::from(expected.is_some());
            let expected = Followed { interpreters: paths(interpreters), named, direct: expected, wrapper: None };
            assert_eq!(found, expected, "{file}");
        }
        assert_eq!(followed("shell").wrapper, Some(("shell".into(), "/bin/sh".into())));
        let shim = followed("python");
        assert_eq!(shim.interpreters, paths(&["/usr/bin/env", "/shims/python3", "/usr/bin/env", "/bin/bash"]));
        assert_eq!(shim.wrapper, Some(("/shims/python3".into(), "/bin/bash".into())));
        assert!(shim.direct.is_some() && shim.named == 1, "{shim:?}");
    }
}
