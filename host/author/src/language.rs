//! The languages of policies, and the files that mark a project of each.

use std::fmt;

use cap_std::fs::Dir;
use serde_json::Value;

use crate::project_file;

/// A language that policies are written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Language {
    /// Rust, with the SDK.
    Rust,
    /// JavaScript, by componentize-qjs or componentize-js.
    JavaScript,
    /// Python, by componentize-py.
    Python,
    /// Go, by the compiler of go.dev.
    Go,
    /// C, by clang, without a C library.
    C,
}

/// The error when a project's files don't tell its language.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UnknownLanguage {
    /// It has none of the files that mark a language.
    #[error(
        "it is no project that can be built\n→ it needs one of these: {}",
        Language::ALL.map(|language| format!("{} ({language})", language.mark())).join(", ")
    )]
    None,
    /// It has the files of several languages.
    #[error("it is a project of {}; say which with --lang", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join(" and "))]
    Several(Vec<Language>),
}

impl Language {
    /// All of them, the recommended one first.
    pub const ALL: [Self; 5] = [Self::Rust, Self::JavaScript, Self::Python, Self::Go, Self::C];

    /// The word on the command line.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Rust => "rust",
            Self::JavaScript => "javascript",
            Self::Python => "python",
            Self::Go => "go",
            Self::C => "c",
        }
    }

    /// The file that marks a project in it.
    const fn mark(self) -> &'static str {
        match self {
            Self::Rust => "Cargo.toml",
            Self::JavaScript => "package.json with componentize-qjs or componentize-js",
            Self::Python => "requirements.txt with componentize-py",
            Self::Go => "go.mod",
            Self::C => "policy.c",
        }
    }

    /// Finds the language of the project in a folder.
    ///
    /// # Errors
    /// See [`UnknownLanguage`].
    pub fn of(folder: &Dir) -> Result<Self, UnknownLanguage> {
        let found: Vec<_> = Self::ALL.into_iter().filter(|language| language.marks(folder)).collect();
        match found.as_slice() {
            [] => Err(UnknownLanguage::None),
            [only] => Ok(*only),
            [_, ..] => Err(UnknownLanguage::Several(found)),
        }
    }

    fn marks(self, folder: &Dir) -> bool {
        match self {
            Self::Rust => folder.exists("Cargo.toml"),
            Self::JavaScript => Componentizer::of(folder).is_some(),
            Self::Python => project_file::read(folder, "requirements.txt").is_ok_and(|text| {
                let text = String::from_utf8_lossy(&text);
                text.lines().any(|line| line.trim_start().starts_with("componentize-py"))
            }),
            Self::Go => folder.exists("go.mod"),
            Self::C => folder.exists("policy.c"),
        }
    }
}

impl fmt::Display for Language {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The toolchain of a JavaScript project: one of the dependencies in its package.json.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Componentizer {
    /// componentize-qjs, with QuickJS.
    QuickJs,
    /// componentize-js, with SpiderMonkey.
    SpiderMonkey,
}

impl Componentizer {
    /// Finds it; `None` without a package.json, or when that names neither. The smaller one, when it names both.
    pub(crate) fn of(folder: &Dir) -> Option<Self> {
        let package: Value = serde_json::from_slice(&project_file::read(folder, "package.json").ok()?).ok()?;
        let named = |name: &str| {
            ["dependencies", "devDependencies"]
                .iter()
                .any(|key| package.get(key).is_some_and(|all| all.get(name).is_some()))
        };
        let of_both = [(Self::QuickJs, "componentize-qjs"), (Self::SpiderMonkey, "@bytecodealliance/componentize-js")];
        of_both.into_iter().find(|(_, name)| named(name)).map(|(componentizer, _)| componentizer)
    }
}
