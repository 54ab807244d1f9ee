//! The languages, and what marks a project of each.

use std::fmt;

use cap_std::fs::Dir;
use serde_json::Value;

use crate::build;

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

/// Which language a project is in can't be told from its files.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UnknownLanguage {
    /// There is none of the files that mark one.
    #[error(
        "it is no project that can be built\n→ it needs one of these: {}",
        Language::ALL.map(|language| format!("{} ({language})", language.mark())).join(", ")
    )]
    None,
    /// There are the files of several.
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

    /// What a project in it has.
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
            Self::Python => build::read(folder, "requirements.txt").is_ok_and(|text| {
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

/// What makes a component of JavaScript, as the project's package.json has it among its dependencies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Componentizer {
    /// componentize-qjs, with QuickJS.
    QuickJs,
    /// componentize-js, with SpiderMonkey.
    SpiderMonkey,
}

impl Componentizer {
    /// Finds it; `None` if there is no package.json, or it names none. The smaller one counts if it names both.
    pub(crate) fn of(folder: &Dir) -> Option<Self> {
        let package: Value = serde_json::from_slice(&build::read(folder, "package.json").ok()?).ok()?;
        let named = |name: &str| {
            ["dependencies", "devDependencies"]
                .iter()
                .any(|key| package.get(key).is_some_and(|all| all.get(name).is_some()))
        };
        let of_both = [(Self::QuickJs, "componentize-qjs"), (Self::SpiderMonkey, "@bytecodealliance/componentize-js")];
        of_both.into_iter().find(|(_, name)| named(name)).map(|(componentizer, _)| componentizer)
    }
}
