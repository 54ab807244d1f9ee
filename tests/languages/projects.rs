//! A new project of each language whose toolchain comes from a package registry, from nothing to the first refusal.
//!
//! Those of Rust and C are followed by `tests/author`, with what the machine has.

use std::path::Path;

use crate::language::LANGUAGES;
use crate::made::all;
use crate::made::environment;
use crate::made::say;
use crate::project;

/// The language of the project, and the toolchain of the page that it shares downloads and caches with.
const PROJECTS: [(&str, &str); 3] = [("javascript", "quickjs"), ("go", "go"), ("python", "python")];

#[test]
fn a_new_project_works_as_it_stands() {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("languages");
    for (language, toolchain) in PROJECTS {
        // Why not was said when it was tried.
        if !all().iter().any(|made| made.name == toolchain) {
            continue;
        }
        let its = LANGUAGES.iter().find(|known| known.name == toolchain).unwrap();
        let mut env = environment(&folder.join(toolchain), its);
        let home = env.iter().position(|(name, _)| *name == "HOME").map(|at| env.swap_remove(at).1).unwrap();
        // The project has an empty home. What was downloaded and compiled before is not downloaded again.
        for (name, cache) in
            [("npm_config_cache", ".npm"), ("PIP_CACHE_DIR", ".cache/pip"), ("GOCACHE", ".cache/go-build")]
        {
            env.push((name, Path::new(&home).join(cache).into_os_string()));
        }
        // Go is where the page installed it.
        let installed = folder.join("go/go/tools/bin");
        let path = env.iter_mut().find(|(name, _)| *name == "PATH").unwrap();
        let programs = std::iter::once(installed).chain(std::env::split_paths(&path.1));
        path.1 = std::env::join_paths(programs.collect::<Vec<_>>()).unwrap();
        project::follow(language, &env);
        say(&format!("followed: a new project of {language}"));
    }
}
