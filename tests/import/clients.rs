//! Scripts in the places of npm, node and pip.

use std::ffi::OsString;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;

use serde_json::Value;
use serde_json::json;

use crate::bed::Invocation;
use crate::bed::TestBed;

/// Says what it was asked for, and then does as npm does: resolves into a lock, and installs what is prepared, with what npm
/// leaves beside it and a file that differs each time.
const NPM: &str = r#"#!/bin/sh
echo "$*" >> "$FAKE/npm.log"
case "$1" in
--version) cat "$FAKE/npm-version" ;;
install) cp "$FAKE/package-lock.json" . ;;
ci)
    [ -e "$FAKE/fail.json" ] && { cat "$FAKE/fail.json"; cat "$FAKE/fail.txt" >&2; exit 1; }
    [ -e "$FAKE/wait" ] && { : > "$FAKE/waiting"; exec cat "$FAKE/wait"; }
    cp -R "$FAKE/node_modules" .
    mkdir -p node_modules/.bin node_modules/@acme/tool/node_modules/.bin
    ln -s ../@acme/tool/server.js node_modules/.bin/tool
    echo "$PWD $$" | tee node_modules/.package-lock.json > node_modules/@acme/tool/node_modules/.bin/noise
    ;;
esac
"#;

/// Says that it is for this platform.
const NODE: &str = "#!/bin/sh\necho '{\"os\":\"linux\",\"arch\":\"x64\",\"glibc\":\"2.36\"}'\n";

/// Is Python, but for the questions of an import.
const PYTHON: &str = r##"#!/bin/sh
case "$1 $2" in
"-I -c") cat "$FAKE/python.json" ;;
"-m pip")
    echo "$*" >> "$FAKE/pip.log"
    case "$*" in
    *--report*) cp "$FAKE/report.json" report.json ;;
    *) [ -e "$FAKE/fail.txt" ] && { cat "$FAKE/fail.txt" >&2; exit 1; } ;;
    esac
    case "$*" in
    *--report*) ;;
    *)
        cp requirements.txt "$FAKE/requirements.txt"
        mkdir -p tree/lib/bin tree/lib/acme/__pycache__
        cp -R "$FAKE/lib/." tree/lib
        for file in RECORD INSTALLER REQUESTED direct_url.json; do
            echo "$PWD $$" > "tree/lib/acme_tool-1.0.dist-info/$file"
        done
        echo "#!$PWD/python $$" > tree/lib/bin/acme-tool
        echo "$$" > tree/lib/acme/__pycache__/cli.cpython-311.pyc
        ;;
    esac
    ;;
*) exec "$REAL_PYTHON" "$@" ;;
esac
"##;

/// The lock that npm writes.
pub(crate) fn npm_lock() -> Value {
    json!({
        "name": "imported", "version": "0.0.0", "lockfileVersion": 3, "requires": true,
        "packages": {
            "": {"name": "imported", "version": "0.0.0", "dependencies": {"@acme/tool": "latest"}},
            "node_modules/@acme/tool": {
                "version": "1.2.3", "integrity": integrity('a'), "license": "MIT", "dependencies": {"left": "^1.0.0"},
                "bin": {"tool": "server.js", "other": "other.js"},
            },
            "node_modules/left": {"version": "1.0.0", "integrity": integrity('b')},
            "node_modules/left-win32": {
                "version": "1.0.0", "integrity": integrity('c'), "optional": true, "os": ["win32"], "cpu": ["x64"],
            },
        },
    })
}

pub(crate) fn integrity(letter: char) -> String {
    format!("sha512-{}==", letter.to_string().repeat(86))
}

/// A machine with stand-ins for the clients.
pub(crate) struct Machine {
    pub(crate) bed: TestBed,
}

impl Machine {
    pub(crate) fn new() -> Self {
        let bed = TestBed::new();
        for (name, text) in [("npm", NPM), ("node", NODE), ("python3", PYTHON)] {
            let path = format!("bin/{name}");
            bed.write(&path, text);
            fs::set_permissions(bed.path(&path), fs::Permissions::from_mode(0o755)).unwrap();
        }
        fs::create_dir_all(bed.path("tmp")).unwrap();
        bed.write("fake/npm-version", "11.0.0\n");
        bed.write("fake/package-lock.json", npm_lock().to_string());
        let package = json!({
            "name": "@acme/tool", "version": "1.2.3", "description": "Says what\nit hears", "license": "MIT",
            "repository": {"type": "git", "url": "git+https://git.example/acme/tool.git"}, "engines": {"node": ">=18"},
            "bin": {"tool": "./server.js", "other": "other.js"},
        });
        bed.write("fake/node_modules/@acme/tool/package.json", package.to_string());
        bed.write("fake/node_modules/@acme/tool/server.js", "#!/bin/sh\necho \"heard ${TOKEN-nothing} $*\"\n");
        bed.write("fake/node_modules/@acme/tool/other.js", "#!/usr/bin/env node\n");
        bed.write("fake/node_modules/@acme/tool/.env.example.env", "harmless=1\n");
        bed.write("fake/node_modules/left/package.json", "{\"name\": \"left\", \"version\": \"1.0.0\"}");
        Self { bed }
    }

    /// The same with a package of PyPI prepared; `python` is the version that the machine's Python says it is.
    pub(crate) fn with_python(python: &str) -> Self {
        let machine = Self::new();
        let bed = &machine.bed;
        let probe = json!({"os": "linux", "arch": "x86_64", "libc": "glibc", "pip": "23.2.1", "python": python});
        bed.write("fake/python.json", probe.to_string());
        let file = |name: &str, version: &str, letter: &str| {
            json!({
                "metadata": {"name": name, "version": version},
                "download_info": {
                    "url": format!("https://files.example/{}-{version}-py3-none-any.whl", name.replace('-', "_")),
                    "archive_info": {"hashes": {"sha256": letter.repeat(64)}},
                },
            })
        };
        let report = json!({"version": "1", "install": [file("Acme-Tool", "1.0", "a"), file("left", "2.0", "b")]});
        bed.write("fake/report.json", report.to_string());
        let info = "fake/lib/acme_tool-1.0.dist-info";
        bed.write(
            &format!("{info}/METADATA"),
            "Metadata-Version: 2.4\nName: Acme-Tool\nSummary: Says what it is\n\nLong\n",
        );
        bed.write(
            &format!("{info}/entry_points.txt"),
            "[console_scripts]\nacme-tool = acme.cli:main\nother = acme.cli:other\n",
        );
        bed.write("fake/lib/acme/__init__.py", "");
        bed.write(
            "fake/lib/acme/cli.py",
            "import sys, left\ndef main():\n    print(sys.argv[0].rsplit('/')[-1], left.NAME, *sys.argv[1:])\n",
        );
        bed.write("fake/lib/left.py", "NAME = 'left'\n");
        machine
    }

    /// `smcp`, for which these clients are on PATH.
    pub(crate) fn smcp(&self, line: &str) -> Invocation<'_> {
        let mut path = OsString::from(self.bed.path("bin"));
        path.push(":");
        path.push(std::env::var_os("PATH").unwrap());
        let real = which("python3");
        let smcp = self.bed.smcp(line).env("PATH", path).env("FAKE", self.bed.path("fake")).env("REAL_PYTHON", real);
        smcp.env("TMPDIR", self.bed.path("tmp"))
    }

    /// Checks that nothing is left where imports work.
    #[track_caller]
    pub(crate) fn is_clean(&self) {
        assert_eq!(self.bed.list("tmp"), Vec::<String>::new());
    }

    /// The digest of a package's bundle.
    pub(crate) fn bundle(&self, reference: &str) -> String {
        let found = self.smcp(&format!("--registry registry info --json {reference}")).run().succeeds().document();
        found["facts"]["bundle_digest"].as_str().unwrap().to_owned()
    }

    /// The files of a package's bundle, as they are in the registry, with their modes.
    pub(crate) fn files(&self, reference: &str) -> Vec<(String, u32, String)> {
        let blob = self.bed.path(&format!("registry/blobs/{}", self.bundle(reference).replace(':', "-")));
        let mut archive = tar::Archive::new(flate2::read::GzDecoder::new(fs::File::open(blob).unwrap()));
        let entries = archive.entries().unwrap().map(|entry| {
            let mut entry = entry.unwrap();
            let (name, mode) = (entry.path().unwrap().display().to_string(), entry.header().mode().unwrap());
            assert_eq!((entry.header().mtime().unwrap(), entry.header().uid().unwrap()), (0, 0), "{name}");
            let mut text = String::new();
            std::io::Read::read_to_string(&mut entry, &mut text).unwrap();
            (name, mode, text)
        });
        entries.filter(|(name, _, _)| !name.ends_with('/')).collect()
    }
}

/// Where the real program is.
fn which(program: &str) -> PathBuf {
    let path = std::env::var_os("PATH").unwrap();
    std::env::split_paths(&path).map(|folder| folder.join(program)).find(|path| path.is_file()).unwrap()
}
