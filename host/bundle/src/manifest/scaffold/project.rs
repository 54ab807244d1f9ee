//! Guesses how a project is named and started, from its own files.
//!
//! The sources are `package.json`, `pyproject.toml` and the names of files.
//!
//! A person reads the result. Nothing here decides anything.

use cap_std::fs::Dir;
use serde_json::Value;

use crate::manifest::check_inside;
use crate::manifest::scaffold::ServerRuntime;
use smcp_model::bounded;
use smcp_model::limits;
use smcp_model::name::PackageId;
use smcp_model::package::Version;
use smcp_model::text::SafeText;
use smcp_store::file::open_file;

/// Usual names of a server's Python file, the likeliest first.
const PYTHON_FILES: [&str; 4] = ["server.py", "main.py", "app.py", "__main__.py"];
/// The same for JavaScript.
const NODE_FILES: [&str; 4] = ["server.js", "index.js", "dist/index.js", "build/index.js"];

/// The findings about a project.
#[derive(Debug)]
pub(super) struct ExaminedProject {
    pub(super) runtime: ServerRuntime,
    pub(super) id: Option<PackageId>,
    pub(super) version: Option<Version>,
    pub(super) description: Option<String>,
    pub(super) command: Option<Vec<String>>,
    /// The folder in which Python has to look for the project's modules.
    pub(super) python_path: Option<&'static str>,
    pub(super) remarks: Vec<SafeText>,
}

impl ExaminedProject {
    /// Examines a project. A given `runtime` is not questioned.
    pub(super) fn examine(dir: &Dir, runtime: Option<ServerRuntime>) -> Self {
        let has = |name: &str| open_file(dir, name).is_ok_and(|file| file.is_some());
        let python = has("pyproject.toml") || has("requirements.txt") || PYTHON_FILES.iter().any(|name| has(name));
        let node = has("package.json") || NODE_FILES.iter().any(|name| has(name));
        let mut remarks = Vec::new();
        let runtime = runtime.unwrap_or_else(|| match (node, python) {
            (true, _) => ServerRuntime::Node,
            (false, true) => ServerRuntime::Python,
            (false, false) => {
                remarks.push("nothing tells what runs the server, so node is assumed; --runtime says otherwise".into());
                ServerRuntime::Node
            }
        });
        let project =
            Self { runtime, id: None, version: None, description: None, command: None, python_path: None, remarks };
        match runtime {
            ServerRuntime::Node => project.node(dir, has),
            ServerRuntime::Python => project.python(dir, has),
            ServerRuntime::Binary => project,
        }
    }

    fn node(mut self, dir: &Dir, has: impl Fn(&str) -> bool) -> Self {
        let mut main = None;
        match text(dir, "package.json") {
            None => {}
            Some(text) => match serde_json::from_str::<Value>(text.trim_start_matches('\u{feff}')) {
                Err(error) => self.remarks.push(SafeText::new(&format!("`package.json` can't be read: {error}"))),
                Ok(package) => {
                    let word = |key: &str| package.get(key).and_then(Value::as_str);
                    self.id = word("name").and_then(|name| match name.strip_prefix('@')?.split_once('/') {
                        Some((org, name)) => id(org, name),
                        None => None,
                    });
                    self.id = self.id.or_else(|| word("name").and_then(|name| id("local", name)));
                    self.version = word("version").and_then(|version| version.parse().ok());
                    self.description = word("description").map(str::to_owned);
                    main = npm_program(&package).or_else(|| word("main").map(str::to_owned));
                }
            },
        }
        let main = main.map(|path| path.trim_start_matches("./").to_owned());
        let main = main.filter(|path| !path.is_empty() && check_inside("main", path).is_ok());
        let main = main.or_else(|| NODE_FILES.iter().find(|name| has(name)).map(|name| (*name).to_owned()));
        self.command = main.map(|path| vec!["node".to_owned(), path]);
        self
    }

    fn python(mut self, dir: &Dir, has: impl Fn(&str) -> bool) -> Self {
        let text = text(dir, "pyproject.toml").unwrap_or_default();
        let value = |key: &str| toml_text(&text, "project", |name| name == key).map(|(_, value)| value);
        self.id = value("name").and_then(|name| id("local", &name));
        self.version = value("version").and_then(|version| version.parse().ok());
        self.description = value("description");
        let script = toml_text(&text, "project.scripts", |_| true).and_then(|(_, target)| module_function(&target));
        self.command = match script {
            Some((module, call)) => {
                let root = module.split('.').next().unwrap_or_default().to_owned();
                self.python_path = dir.is_dir(format!("src/{root}")).then_some("src");
                let code = format!("import sys; from {module} import {call}; sys.exit({call}())");
                Some(["python3", "-c", &code].map(str::to_owned).to_vec())
            }
            None => {
                PYTHON_FILES.iter().find(|name| has(name)).map(|name| vec!["python3".to_owned(), (*name).to_owned()])
            }
        };
        self
    }
}

/// Returns the program of an npm package: the one with the package's name, or else the first.
fn npm_program(package: &Value) -> Option<String> {
    let name = package.get("name").and_then(Value::as_str).unwrap_or_default();
    let name = name.rsplit('/').next().unwrap_or(name);
    let path = match package.get("bin")? {
        Value::String(path) => path,
        Value::Object(programs) => programs.get(name).or_else(|| programs.values().next())?.as_str()?,
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) => return None,
    };
    Some(path.to_owned())
}

/// Parses the `module:function` of a script; returns `None` for other forms.
fn module_function(target: &str) -> Option<(String, String)> {
    let (module, call) = target.split_once(':')?;
    let word =
        |text: &str| !text.is_empty() && text.chars().all(|character| character.is_alphanumeric() || character == '_');
    (module.split('.').all(word) && word(call)).then(|| (module.to_owned(), call.to_owned()))
}

/// Makes a package's name of any two texts; other characters become `-`.
pub(super) fn id(org: &str, name: &str) -> Option<PackageId> {
    let cleaned = |text: &str| {
        let text: String = text
            .chars()
            .map(
                |character| {
                    if character.is_ascii_alphanumeric() || "._-".contains(character) { character } else { '-' }
                },
            )
            .collect();
        text.trim_start_matches(['.', '_', '-']).to_owned()
    };
    format!("{}/{}", cleaned(org), cleaned(name)).parse().ok()
}

/// The name for a project that has none.
pub(super) fn unnamed() -> PackageId {
    #[expect(clippy::expect_used, reason = "a constant that a test reads")]
    "local/server".parse().expect("a name")
}

/// The version for a project that has none.
pub(super) fn first_version() -> Version {
    #[expect(clippy::expect_used, reason = "a constant that a test reads")]
    "0.1.0".parse().expect("a version")
}

fn text(dir: &Dir, name: &str) -> Option<String> {
    let file = open_file(dir, name).ok()??;
    String::from_utf8(bounded::read_within(file, limits::MANIFEST, 0).ok()??).ok()
}

/// Returns the first text with a wanted key in a table of a TOML file. Only keys on lines of their own are found, as
/// nearly all are.
fn toml_text(text: &str, table: &str, wanted: impl Fn(&str) -> bool) -> Option<(String, String)> {
    let mut inside = false;
    for line in text.lines().map(str::trim) {
        if let Some(header) = line.strip_prefix('[') {
            inside = header.split(']').next().is_some_and(|name| name.trim() == table);
            continue;
        }
        let Some((key, value)) = line.split_once('=').filter(|_| inside) else { continue };
        let key = key.trim().trim_matches(['"', '\'']);
        let value = value.trim();
        let quote = value.chars().next().filter(|first| matches!(first, '"' | '\''));
        let value = quote.and_then(|quote| value.get(1..)?.split(quote).next());
        if let Some(value) = value.filter(|value| wanted(key) && !value.is_empty() && !value.contains('\\')) {
            return Some((key.to_owned(), value.to_owned()));
        }
    }
    None
}
