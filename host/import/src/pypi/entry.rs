//! Which program of a package of PyPI is started, and what starts it.

use cap_std::fs::Dir;

use crate::error::ImportError;
use crate::source::canonical;
use smcp_model::text::SafeText;

/// A console script: a function that is called.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct ChosenScript {
    /// Its name, as `uvx` calls it.
    pub(super) name: String,
    module: String,
    /// The function, perhaps in an object: names joined by dots.
    function: String,
}

/// What METADATA says for people.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct WheelAbout {
    pub(super) summary: Option<String>,
    pub(super) repository: Option<String>,
    pub(super) license: Option<String>,
}

/// Finds the folder in which the installer keeps what is known of a package.
pub(super) fn info_folder(lib: &Dir, name: &str) -> Result<String, ImportError> {
    let failed = ImportError::scratch("look at what was installed");
    for entry in lib.entries().map_err(&failed)? {
        let Ok(found) = entry.map_err(&failed)?.file_name().into_string() else { continue };
        let named = found.strip_suffix(".dist-info").and_then(|stem| stem.rsplit_once('-'));
        if named.is_some_and(|(named, _)| canonical(named) == canonical(name)) {
            return Ok(found);
        }
    }
    Err(ImportError::package(format!("pip has not installed `{}`", SafeText::quoted(name))))
}

/// Chooses among the console scripts of a package as `uvx` does: the only one, or the one of the package's name; or the one
/// that the user names.
pub(super) fn choose(package: &str, entry_points: &[u8], bin: Option<&str>) -> Result<ChosenScript, ImportError> {
    let text = String::from_utf8_lossy(entry_points);
    let scripts = console_scripts(&text);
    let names = || {
        let names: Vec<String> = scripts.iter().map(|(name, _)| format!("`{}`", SafeText::quoted(name))).collect();
        names.join(", ")
    };
    let (name, value) = *match (bin, scripts.as_slice()) {
        (_, []) => {
            return Err(ImportError::package(format!(
                "{package} has no program that `uvx` would start: its entry_points.txt has no `console_scripts`"
            )));
        }
        (Some(bin), several) => several.iter().find(|(name, _)| *name == bin).ok_or_else(|| {
            ImportError::package(format!("{package} has no program `{}`; it has {}", SafeText::quoted(bin), names()))
        })?,
        (None, [only]) => only,
        (None, several) => {
            let same = several.iter().find(|(name, _)| canonical(name) == canonical(package));
            same.ok_or_else(|| {
                ImportError::package(format!(
                    "{package} has several programs: {}\n  --bin NAME says which one",
                    names()
                ))
            })?
        }
    };
    let value = value.split(['[', ';']).next().unwrap_or_default().trim();
    let is_path = |text: &str| {
        let is_name = |part: &str| {
            part.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
                && part.bytes().next().is_some_and(|byte| !byte.is_ascii_digit())
        };
        text.split('.').all(is_name)
    };
    match value.split_once(':').map(|(module, function)| (module.trim(), function.trim())) {
        Some((module, function)) if is_path(module) && is_path(function) => {
            let [name, module, function] = [name, module, function].map(str::to_owned);
            Ok(ChosenScript { name, module, function })
        }
        Some(_) | None => {
            let (name, value) = (SafeText::quoted(name), SafeText::quoted(value));
            Err(ImportError::package(format!("the program `{name}` of {package} is `{value}`, which is no function")))
        }
    }
}

/// The names and values of the section `console_scripts`.
fn console_scripts(text: &str) -> Vec<(&str, &str)> {
    let mut inside = false;
    let mut scripts = Vec::new();
    for line in text.lines().map(str::trim) {
        if let Some(section) = line.strip_prefix('[').and_then(|line| line.strip_suffix(']')) {
            inside = section.trim() == "console_scripts";
        } else if inside
            && !line.starts_with(['#', ';'])
            && let Some((name, value)) = line.split_once('=')
        {
            scripts.push((name.trim(), value.trim()));
        }
    }
    scripts
}

impl ChosenScript {
    /// A program in Python that calls the function. Nothing but the bundle and Python's own library can be imported: `-S`
    /// keeps away what else is installed for this Python, whoever installed it.
    pub(super) fn text(&self, python: &str) -> String {
        let Self { name, module, function } = self;
        let first = function.split('.').next().unwrap_or_default();
        // Names that a quoted text of Python takes as they are: those of scripts may be anything else.
        let shown: String =
            name.chars().filter(|letter| letter.is_ascii_alphanumeric() || "._-".contains(*letter)).collect();
        format!(
            r#"# Written by `smcp import`: starts `{shown}` with what lies in lib/, and with nothing else that is installed for Python.
import os
import site
import sys

LIB = os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib")
MADE_FOR = "{python}"

if "%d.%d" % sys.version_info[:2] != MADE_FOR:
    sys.exit("this bundle is for Python %s, and `python3` is %d.%d: import it again" % (MADE_FOR, *sys.version_info[:2]))

sys.path[0] = LIB
os.environ["PYTHONPATH"] = LIB
site.addsitedir(LIB)
site.setquit()

if __name__ == "__main__":
    sys.argv[0] = "{shown}"
    from {module} import {first}

    sys.exit({function}())
"#
        )
    }
}

/// Reads the head of a METADATA file.
pub(super) fn about(metadata: &[u8]) -> WheelAbout {
    let text = String::from_utf8_lossy(metadata);
    let mut about = WheelAbout::default();
    for line in text.lines().take_while(|line| !line.is_empty()) {
        let Some((key, value)) = line.split_once(':') else { continue };
        let value = value.split_whitespace().collect::<Vec<_>>().join(" ");
        match key {
            "Summary" => about.summary = Some(value),
            "License-Expression" => about.license = Some(value),
            "Project-URL" => {
                let address = value.split_once(", ").filter(|(label, _)| {
                    ["repository", "source", "source code", "homepage"].contains(&label.to_ascii_lowercase().as_str())
                });
                if let Some((_, url)) = address.filter(|(_, url)| url.starts_with("https://")) {
                    about.repository.get_or_insert_with(|| url.to_owned());
                }
            }
            _ => {}
        }
    }
    about
}

#[cfg(test)]
mod tests {
    use super::*;

    const SEVERAL: &[u8] =
        b"[console_scripts]\nacme-tool = acme.cli:main\nother=acme.other:App.run [extra]\n\n[gui_scripts]\ngui = acme.gui:main\n";

    #[test]
    fn the_program_is_the_one_that_uvx_starts() {
        for (package, text, bin, expected) in [
            ("anything", "[console_scripts]\nx = a.b:main\n", None, ("x", "a.b", "main")),
            ("Acme_Tool", str::from_utf8(SEVERAL).unwrap(), None, ("acme-tool", "acme.cli", "main")),
            ("acme-tool", str::from_utf8(SEVERAL).unwrap(), Some("other"), ("other", "acme.other", "App.run")),
        ] {
            let ChosenScript { name, module, function } = choose(package, text.as_bytes(), bin).unwrap();
            assert_eq!((name.as_str(), module.as_str(), function.as_str()), expected);
        }
        for (text, bin, reason) in [
            ("", None, "no `console_scripts`"),
            ("[gui_scripts]\nx = a:b\n", None, "no `console_scripts`"),
            ("[console_scripts]\nx = a:b\ny = a:c\n", None, "`x`, `y`\n  --bin NAME says which one"),
            ("[console_scripts]\nx = a:b\n", Some("gui"), "has no program `gui`; it has `x`"),
            ("[console_scripts]\nx = a\n", None, "no function"),
            ("[console_scripts]\nx = a:b()\n", None, "no function"),
            ("[console_scripts]\nx = os;evil:b\n", None, "no function"),
            ("[console_scripts]\nx = 1a:b\n", None, "no function"),
        ] {
            let error = choose("acme-tool", text.as_bytes(), bin).unwrap_err().to_string();
            assert!(error.contains(reason), "{text}: {error}");
        }
    }

    #[test]
    fn what_starts_it_has_no_text_of_others_but_names() {
        let entry_points = "[console_scripts]\n\"\"\" + evil = a.b:C.main\n";
        let text = choose("x", entry_points.as_bytes(), None).unwrap().text("3.11");
        assert!(text.contains("from a.b import C\n") && text.contains("sys.exit(C.main())"), "{text}");
        assert!(text.contains("sys.argv[0] = \"evil\"") && text.contains("MADE_FOR = \"3.11\""), "{text}");
    }

    #[test]
    fn metadata_tells_what_people_want_to_know() {
        let text = b"Metadata-Version: 2.4\nSummary: A tool\nLicense-Expression: MIT\nProject-URL: Docs, https://d.example\nProject-URL: Source, https://s.example/x\n\nSummary: not this one\n";
        let [summary, repository, license] = ["A tool", "https://s.example/x", "MIT"].map(|text| Some(text.to_owned()));
        assert_eq!(about(text), WheelAbout { summary, repository, license });
    }
}
