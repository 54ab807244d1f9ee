//! Which program of a package of npm is started, and by what.

use cap_std::fs::Dir;
use cap_std::fs::MetadataExt as _;
use serde_json::Map;
use serde_json::Value;

use crate::error::ImportError;
use smcp_model::bounded;
use smcp_model::text::SafeText;
use smcp_store::file::open_file;

/// The most that is read of a program to know what starts it, bytes.
const HEAD: usize = 256;

/// A program of a package.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct ChosenBin {
    /// Its name, as `npx` calls it.
    pub(super) name: String,
    /// Its file in the package.
    path: String,
}

/// What starts a program.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct BinStart {
    pub(super) command: Vec<String>,
    pub(super) runtime: &'static str,
}

/// Chooses among the programs of a package as `npx` does: the only one, or the one of the package's name; or the one that
/// the user names.
pub(super) fn choose(package: &str, about: &Map<String, Value>, bin: Option<&str>) -> Result<ChosenBin, ImportError> {
    let short = package.rsplit_once('/').map_or(package, |(_, name)| name);
    let programs: Vec<(&str, &str)> = match about.get("bin") {
        Some(Value::String(path)) => vec![(short, path.as_str())],
        Some(Value::Object(programs)) => {
            programs.iter().filter_map(|(name, path)| Some((name.as_str(), path.as_str()?))).collect()
        }
        Some(Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_)) | None => Vec::new(),
    };
    let names = || {
        let names: Vec<String> = programs.iter().map(|(name, _)| format!("`{}`", SafeText::quoted(name))).collect();
        names.join(", ")
    };
    let found = match (bin, programs.as_slice()) {
        (_, []) => {
            return Err(ImportError::package(format!(
                "{package} has no program that `npx` would start: its package.json has no `bin`"
            )));
        }
        (Some(bin), several) => {
            let found = several.iter().find(|(name, _)| *name == bin);
            let missing = || {
                ImportError::package(format!(
                    "{package} has no program `{}`; it has {}",
                    SafeText::quoted(bin),
                    names()
                ))
            };
            found.ok_or_else(missing)?
        }
        (None, [only]) => only,
        (None, several) => several.iter().find(|(name, _)| *name == short).ok_or_else(|| {
            ImportError::package(format!("{package} has several programs: {}\n  --bin NAME says which one", names()))
        })?,
    };
    let (name, path) = *found;
    let parts: Vec<&str> = path.split('/').filter(|part| !matches!(*part, "" | ".")).collect();
    if path.starts_with('/') || parts.is_empty() || parts.contains(&"..") || path.contains(['\\', '\0']) {
        let path = SafeText::quoted(path);
        return Err(ImportError::package(format!(
            "the program `{name}` of {package} is `{path}`, which is no file of it"
        )));
    }
    Ok(ChosenBin { name: name.to_owned(), path: parts.join("/") })
}

/// Returns what starts a program of the package in the folder `own`: what its first line says, else Node.js; or itself,
/// when it is a program of the machine.
pub(super) fn command(root: &Dir, own: &str, program: &ChosenBin) -> Result<BinStart, ImportError> {
    let path = format!("{own}/{}", program.path);
    let failed = ImportError::scratch("read the program");
    let shown = || SafeText::quoted(&path);
    let opened = open_file(root, &path).map_err(&failed)?;
    let Some(file) = opened.filter(|file| file.metadata().is_ok_and(|metadata| metadata.is_file())) else {
        return Err(ImportError::package(format!("its program `{}` is not in the package", shown())));
    };
    let is_executable = file.metadata().map_err(&failed)?.mode() & 0o100 != 0;
    let head = bounded::read_beginning(file, HEAD).map_err(&failed)?;
    if head.starts_with(b"\x7fELF") || head.starts_with(&[0xcf, 0xfa, 0xed, 0xfe]) {
        if !is_executable {
            return Err(ImportError::package(format!("its program `{}` is not executable", shown())));
        }
        return Ok(BinStart { command: vec![path], runtime: "binary" });
    }
    let mut command = interpreter(&head).unwrap_or_else(|| vec!["node".to_owned()]);
    command.push(path);
    Ok(BinStart { command, runtime: "node" })
}

/// Returns the words of a first line: the interpreter's name, to be looked up on PATH, and its options.
fn interpreter(head: &[u8]) -> Option<Vec<String>> {
    let line = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head).strip_prefix(b"#!")?;
    let line = str::from_utf8(line.split(|byte| matches!(byte, b'\n' | b'\r')).next()?).ok()?;
    let mut words = line.split_whitespace().peekable();
    let mut program = words.next()?;
    if program.ends_with("/env") {
        words.next_if_eq(&"-S");
        program = words.next()?;
    }
    let name = program.rsplit('/').next().filter(|name| !name.is_empty() && !name.contains('='))?;
    Some(std::iter::once(name).chain(words).map(str::to_owned).collect())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use smcp_bed::Bed;

    fn chosen(bin: Value, named: Option<&str>) -> Result<(String, String), String> {
        let about = json!({"bin": bin});
        let found = choose("@acme/tool", about.as_object().unwrap(), named);
        found.map(|found| (found.name, found.path)).map_err(|error| error.to_string())
    }

    #[test]
    fn the_program_is_the_one_that_npx_starts() {
        let several = json!({"tool": "dist/a.js", "other": "dist/b.js"});
        for (bin, named, expected) in [
            (json!("dist/index.js"), None, ("tool", "dist/index.js")),
            (json!("./dist/index.js"), Some("tool"), ("tool", "dist/index.js")),
            (json!({"anything": "a.js"}), None, ("anything", "a.js")),
            (several.clone(), None, ("tool", "dist/a.js")),
            (several.clone(), Some("other"), ("other", "dist/b.js")),
        ] {
            let (name, path) = chosen(bin, named).unwrap();
            assert_eq!((name.as_str(), path.as_str()), expected);
        }
        for (bin, named, reason) in [
            (json!({"x": "a.js", "y": "b.js"}), None, "`x`, `y`\n  --bin NAME says which one"),
            (several, Some("nope"), "has no program `nope`; it has `tool`, `other`"),
            (Value::Null, None, "no `bin`"),
            (json!({}), Some("tool"), "no `bin`"),
            (json!("../evil.js"), None, "no file of it"),
            (json!("/bin/sh"), None, "no file of it"),
            (json!("."), None, "no file of it"),
        ] {
            let error = chosen(bin, named).unwrap_err();
            assert!(error.contains(reason), "{error}");
        }
    }

    #[test]
    fn the_first_line_says_what_starts_a_program() {
        let bed = Bed::with([]);
        for (head, expected) in [
            ("#!/usr/bin/env node\n", "node own/x"),
            ("#!/usr/bin/env node\r\n", "node own/x"),
            ("\u{feff}#!/usr/bin/env node\n", "node own/x"),
            ("#!/usr/bin/env -S node --no-warnings\n", "node --no-warnings own/x"),
            ("#!/usr/local/bin/node --enable-source-maps\n", "node --enable-source-maps own/x"),
            ("#!/bin/sh\n", "sh own/x"),
            ("console.log(1)", "node own/x"),
            ("#!\n", "node own/x"),
        ] {
            bed.root.create_dir_all("own").unwrap();
            bed.root.write("own/x", head).unwrap();
            let program = ChosenBin { name: "x".to_owned(), path: "x".to_owned() };
            assert_eq!(command(&bed.root, "own", &program).unwrap().command.join(" "), expected, "{head}");
        }
        let missing = ChosenBin { name: "y".to_owned(), path: "y".to_owned() };
        assert!(command(&bed.root, "own", &missing).unwrap_err().to_string().contains("is not in the package"));
    }
}
