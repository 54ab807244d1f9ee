//! The scenarios of `examples/`: each gives the answers that its `expected.txt` shows.
//!
//! That file is a transcript: lines `$ smcp …`, run in the scenario's folder, each with what it prints and its exit
//! code. `BLESS=1 cargo test --test examples` writes the answers of this build into them, to be read before they are
//! committed.

#[cfg(test)]
mod scenario {
    use std::path::Path;
    use std::path::PathBuf;
    use std::process::Command;
    use std::process::Stdio;

    use cap_std::ambient_authority;
    use cap_std::fs::Dir;
    use tempfile::TempDir;

    const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../examples");

    fn open(path: &Path) -> Dir {
        Dir::open_ambient_dir(path, ambient_authority()).unwrap()
    }

    /// Every folder of `examples/` that has a transcript.
    pub(crate) fn all() -> Vec<String> {
        let entries = open(Path::new(FOLDER)).entries().unwrap().map(Result::unwrap);
        let folders = entries.filter(|entry| entry.open_dir().is_ok_and(|folder| folder.exists("expected.txt")));
        let mut names: Vec<_> = folders.map(|folder| folder.file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    /// The transcript as it is committed, and as this build makes it.
    pub(crate) fn transcripts(name: &str) -> (String, String) {
        let path = PathBuf::from(FOLDER).join(name);
        let dir = open(&path);
        let expected = dir.read_to_string("expected.txt").unwrap();
        let commands: Vec<_> = expected.lines().filter_map(|line| line.strip_prefix("$ smcp ")).collect();
        assert!(!commands.is_empty(), "{name}: no line begins with `$ smcp `");
        let found: Vec<_> = commands.iter().map(|command| answer(&path, command)).collect();
        let found = found.join("\n");
        if blessing() {
            dir.write("expected.txt", &found).unwrap();
        }
        (expected, found)
    }

    #[expect(clippy::disallowed_methods, reason = "whoever runs the test decides, no case of it")]
    fn blessing() -> bool {
        std::env::var_os("BLESS").is_some()
    }

    #[expect(clippy::disallowed_methods, reason = "the program under test is a process of its own")]
    fn answer(folder: &Path, command: &str) -> String {
        let home = TempDir::new().unwrap();
        let output = Command::new(env!("CARGO_BIN_EXE_smcp"))
            .env_clear()
            .env("HOME", home.path())
            .current_dir(folder)
            .args(command.split(' '))
            .stdin(Stdio::null())
            .output()
            .unwrap();
        let said = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
        format!("$ smcp {command}\n{said}exit code {}\n", output.status.code().unwrap())
    }
}

#[test]
fn every_scenario_gives_what_it_shows() {
    let scenarios = scenario::all();
    let transcripts: Vec<_> = scenarios.iter().map(|name| (name, scenario::transcripts(name))).collect();
    for (name, (expected, found)) in transcripts {
        assert_eq!(found, expected, "examples/{name}");
    }
}

#[test]
fn the_three_published_configurations_are_among_them() {
    let all = scenario::all();
    for name in ["development", "production", "team"] {
        assert!(all.iter().any(|scenario| scenario == name), "examples/{name} has no expected.txt");
    }
}
