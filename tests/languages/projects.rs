//! A new project of each language whose toolchain comes from a package registry, from nothing to the first refusal.
//!
//! That of Rust is followed by `tests/author`, with what the machine has.

use std::ffi::OsString;
use std::fs;
use std::path::Path;
use std::time::Instant;

use crate::bed::ROOT;
use crate::bed::TestBed;
use crate::language::LANGUAGES;
use crate::made::all;
use crate::made::environment;
use crate::made::page_of;
use crate::made::say;
use crate::page::Reader;
use crate::page::shows;
use crate::project;

/// The language of the project, and the toolchain of the page that it shares downloads and caches with.
const PROJECTS: [(&str, &str); 4] = [("c", "c"), ("javascript", "quickjs"), ("go", "go"), ("python", "python")];

/// The variables with which a project of `language` is built in an empty home; `None` when its toolchain can't be had here,
/// which was said when it was tried.
fn toolchain(language: &str) -> Option<Vec<(&'static str, OsString)>> {
    let (_, toolchain) = PROJECTS.into_iter().find(|(known, _)| *known == language).unwrap();
    if !all().iter().any(|made| made.name == toolchain) {
        return None;
    }
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("languages");
    let its = LANGUAGES.iter().find(|known| known.name == toolchain).unwrap();
    let mut env = environment(&folder.join(toolchain), its);
    let home = env.iter().position(|(name, _)| *name == "HOME").map(|at| env.swap_remove(at).1).unwrap();
    // The project has an empty home. What was downloaded and compiled before is not downloaded again.
    for (name, cache) in [("npm_config_cache", ".npm"), ("PIP_CACHE_DIR", ".cache/pip"), ("GOCACHE", ".cache/go-build")]
    {
        env.push((name, Path::new(&home).join(cache).into_os_string()));
    }
    // Go is where the page installed it.
    let installed = folder.join("go/go/tools/bin");
    let path = env.iter_mut().find(|(name, _)| *name == "PATH").unwrap();
    let programs = std::iter::once(installed).chain(std::env::split_paths(&path.1));
    path.1 = std::env::join_paths(programs.collect::<Vec<_>>()).unwrap();
    Some(env)
}

#[test]
fn a_new_project_works_as_it_stands() {
    for (language, _) in PROJECTS {
        if let Some(env) = toolchain(language) {
            project::follow(language, &env);
            say(&format!("followed: a new project of {language}"));
        }
    }
}

/// What the page of a language says first, word for word in an empty folder.
#[test]
fn each_page_goes_from_nothing_to_the_first_refusal() {
    for (language, name) in PROJECTS {
        let Some(mut env) = toolchain(language) else { continue };
        let place = tempfile::tempdir().unwrap();
        env.push(("HOME", place.path().join("home").into_os_string()));
        let page = page_of(name);
        let (lines, shown) = page.block(name, "new");
        let mut reader = Reader { folder: place.path().to_owned(), place: place.path().to_owned(), env };
        let began = Instant::now();
        let printed = reader.runs(lines);
        shows(Path::new(&page.name), shown, &printed);
        say(&format!("followed: {} in {:.0} s", page.name, began.elapsed().as_secs_f64()));
    }
}

/// The example policies that are not in Rust: their language, their settings, facts that they refuse, and the code.
const EXAMPLES: [(&str, &str, &str, &str, &str); 2] = [
    (
        "tool-risk",
        "javascript",
        "{max_risk: medium}",
        r#"{"manifest": "{\"certification\": {\"capabilities\": {\"tools\": [{\"name\": \"rm\", \"risk_level\": \"high\"}]}}}"}"#,
        "tool-too-risky",
    ),
    (
        "licences",
        "python",
        "{allow: [MIT]}",
        r#"{"manifest": "{\"package\": {\"license\": \"GPL-3.0-only\"}}"}"#,
        "licence-not-allowed",
    ),
];

/// What an example has in common with its template or another example: authors copy its folder as it is.
const SAME: [(&str, &str); 3] = [
    ("examples/policies/tool-risk/package-lock.json", "host/author/templates/javascript/package-lock.json"),
    ("examples/policies/tool-risk/package.json", "host/author/templates/javascript/package.json"),
    ("examples/policies/licences/requirements.txt", "examples/languages/python/requirements.txt"),
];

#[test]
fn an_example_is_built_holds_its_cases_and_judges_in_a_configuration() {
    let root = Path::new(ROOT);
    for (example, template) in SAME {
        assert_eq!(fs::read(root.join(example)).unwrap(), fs::read(root.join(template)).unwrap(), "{example}");
    }
    for (name, language, settings, facts, code) in EXAMPLES {
        let Some(env) = toolchain(language) else { continue };
        let bed = TestBed::new();
        let example = root.join("examples/policies").join(name);
        fs::create_dir_all(bed.path(name).join("cases")).unwrap();
        for folder in ["", "cases"] {
            for entry in fs::read_dir(example.join(folder)).unwrap().map(Result::unwrap) {
                if entry.file_type().unwrap().is_file() {
                    fs::copy(entry.path(), bed.path(name).join(folder).join(entry.file_name())).unwrap();
                }
            }
        }
        let build = format!("policy build {name}");
        let built = env.iter().fold(bed.smcp(&build), |smcp, (name, value)| smcp.env(name, value));
        built.run().succeeds();
        bed.run(&format!("policy test {name}")).succeeds();
        bed.configure(&format!(
            "policy: {{custom: [{{name: {name}, source: ~/{name}/{name}.wasm, settings: {settings}}}]}}\n"
        ));
        bed.run("config validate").succeeds();
        bed.write("facts.json", facts);
        let document = bed.run("--json policy eval --facts facts.json").exits(4).document();
        let policies = document["policies"].as_array().unwrap();
        let own = policies.iter().find(|policy| policy["name"] == name).unwrap();
        assert_eq!(own["findings"][0]["code"], code, "{document}");
        say(&format!("built: the example {name}, in {language}"));
    }
}
