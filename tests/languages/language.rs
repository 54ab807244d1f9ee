//! The languages, what each needs on the machine, and how to tell a registry that is out of reach from a failure.

use std::path::Path;
use std::path::PathBuf;
use std::process::Command;
use std::process::Stdio;

/// A language, or one of several toolchains for it.
pub(crate) struct Language {
    /// Its name after `language=` in its page, and of its folder.
    pub(crate) name: &'static str,
    /// Commands that succeed on a machine that has what it needs, and the words for that.
    needs: &'static [(&'static str, &'static str)],
    /// A command that succeeds when the registry that it is installed from can be reached.
    pub(crate) registry: Option<&'static str>,
}

const PYTHON: (&str, &str) =
    ("python3 -c 'import sys, venv; sys.exit(sys.version_info < (3, 10))'", "Python 3.10, venv");
const NODE: (&str, &str) =
    ("npm --version && node -e 'process.exit(Number(parseInt(process.versions.node) < 20))'", "Node.js 20 with npm");
pub(crate) const WASM: (&str, &str) = (
    "test -d \"$(rustc --print sysroot)/lib/rustlib/wasm32-unknown-unknown/lib\"",
    "Rust's wasm32-unknown-unknown (`cargo xtask setup`)",
);
pub(crate) const CLANG: (&str, &str) = (
    "clang --print-targets | grep -q wasm32 && command -v wasm-ld",
    "clang and wasm-ld (Debian: `apt-get install clang lld`), or the `apt-get download` of Debian's clang-19 and lld-19",
);
const PYPI: Option<&str> = Some("python3 -m pip index versions pip");
const NPM: Option<&str> = Some("npm view npm version");

/// Every toolchain of the pages, the fast ones first.
pub(crate) const LANGUAGES: [Language; 7] = [
    Language { name: "rust", needs: &[WASM], registry: None },
    Language { name: "c", needs: &[CLANG], registry: None },
    Language { name: "zig", needs: &[PYTHON], registry: PYPI },
    Language { name: "go", needs: &[PYTHON], registry: PYPI },
    Language { name: "quickjs", needs: &[NODE], registry: NPM },
    Language { name: "javascript", needs: &[NODE], registry: NPM },
    Language { name: "python", needs: &[PYTHON], registry: PYPI },
];

/// Debian's packages of clang, which run from a folder.
const DEBIAN: [&str; 5] = ["clang-19", "lld-19", "libllvm19", "libclang-cpp19", "libclang-common-19-dev"];

impl Language {
    /// Why it can't be tried on this machine.
    pub(crate) fn lacks(&self, env: &[(&'static str, std::ffi::OsString)]) -> Option<String> {
        let missing = self.needs.iter().find(|(command, _)| !succeeds(command, env));
        missing.map(|(_, needed)| format!("this machine has no {needed}"))
    }
}

/// Whether a line of shell succeeds; what it prints is nobody's.
pub(crate) fn succeeds(line: &str, env: &[(&'static str, std::ffi::OsString)]) -> bool {
    let mut shell = Command::new("/bin/sh");
    shell.args(["-c", line]).env_clear().envs(env.iter().cloned());
    shell.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status().unwrap().success()
}

/// The folders of clang's programs and the one of what they load, if the machine has none: unpacks Debian's packages into
/// `folder`, once. `None` where that can't be done.
pub(crate) fn clang_of_debian(folder: &Path) -> Option<([PathBuf; 2], PathBuf)> {
    // It looks for its linker under a name with its version, which is a link in the second.
    let (bin, lib) = (["usr/lib/llvm-19/bin", "usr/bin"].map(|bin| folder.join(bin)), folder.join("usr/lib"));
    let lib = lib.join(format!("{}-linux-gnu", std::env::consts::ARCH));
    if !bin[0].join("clang").exists() {
        std::fs::create_dir_all(folder).unwrap();
        let line = format!("apt-get download {} && for each in *.deb; do dpkg -x \"$each\" .; done", DEBIAN.join(" "));
        let mut shell = Command::new("sh");
        shell.args(["-ec", &line]).current_dir(folder).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        shell.status().ok().filter(std::process::ExitStatus::success)?;
    }
    Some((bin, lib))
}

#[test]
fn a_machine_without_tools_is_told_what_it_lacks() {
    let nothing = [("PATH", "/nowhere".into())];
    for language in LANGUAGES {
        let lack = language.lacks(&nothing).unwrap_or_else(|| panic!("{} needs something", language.name));
        assert!(lack.contains(language.needs[0].1), "{lack}");
    }
    assert!(!succeeds("npm view npm version", &nothing), "a registry is not reached without its client");
    assert!(succeeds("true", &nothing), "but a line of shell is run");
}
