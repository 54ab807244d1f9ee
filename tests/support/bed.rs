//! The world of a test of the binary: a home, a registry, packages, `smcp`.

use std::fmt;
use std::fs;
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::ExitStatusExt as _;
use std::path::Path;
use std::path::PathBuf;
use std::process::Child;
use std::process::Command;
use std::process::Output;
use std::process::Stdio;

use serde_json::Value;
use serde_json::json;
use tempfile::TempDir;

use crate::redact::Redactor;
use smcp_model::digest::Digest;

/// The path of a file in the repository.
pub(crate) const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");

/// The folder of a bed in which servers leave proofs that they ran.
pub(crate) const PROOF: &str = "proof";

/// A separate home for one test, removed when dropped. `smcp` runs in it.
pub(crate) struct TestBed {
    _home: TempDir,
    path: PathBuf,
}

impl TestBed {
    pub(crate) fn new() -> Self {
        let home = TempDir::new().unwrap();
        // As the system names it, which is what `smcp` sees as its working directory.
        let path = home.path().canonicalize().unwrap();
        fs::create_dir(path.join(PROOF)).unwrap();
        Self { _home: home, path }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    pub(crate) fn write(&self, name: &str, text: impl AsRef<[u8]>) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    pub(crate) fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap()
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        self.path(name).exists()
    }

    /// The names in a folder, sorted, but for what every bed has; empty if the folder does not exist.
    pub(crate) fn list(&self, folder: &str) -> Vec<String> {
        let Ok(entries) = fs::read_dir(self.path(folder)) else { return Vec::new() };
        let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.retain(|name| (folder, name.as_str()) != (".", PROOF));
        names.sort();
        names
    }

    /// Writes the configuration of the user layer: the bed's registry, then `text`.
    pub(crate) fn configure(&self, text: &str) {
        self.write(".mcp/config.yaml", format!("registry_url: ~/registry\n{text}"));
    }

    /// Publishes a package in the bed's registry.
    pub(crate) fn publish(&self, package: &Package) {
        self.try_publish(package).succeeds();
    }

    pub(crate) fn try_publish(&self, package: &Package) -> Ran {
        self.try_publish_in("registry", package)
    }

    /// Publishes a package in a registry that is named as on the command line.
    pub(crate) fn try_publish_in(&self, registry: &str, package: &Package) -> Ran {
        let bundle = format!("bundles/{}", package.reference.replace(['/', '@'], "-"));
        for (name, text, mode) in &package.files {
            let name = format!("{bundle}/{name}");
            self.write(&name, text);
            fs::set_permissions(self.path(&name), fs::Permissions::from_mode(*mode)).unwrap();
        }
        self.write(&format!("{bundle}/manifest.json"), package.manifest.to_string());
        let line = format!("registry publish --registry {registry} {} {bundle}", package.reference);
        self.smcp(&line).args(&package.facts).run()
    }

    /// Puts another manifest in the place of a published one, as a registry could: with digests that are right.
    /// `change` gets the manifest, and what the registry says of the bundle.
    pub(crate) fn replace_manifest(&self, id: &str, version: &str, change: impl FnOnce(&Value, Value) -> Value) {
        let entry = format!("registry/packages/{id}/{version}.json");
        let mut document: Value = serde_json::from_str(&self.read(&entry)).unwrap();
        let resolved = &mut document["resolved"];
        let blob = |digest: &str| format!("registry/blobs/{}", digest.replace(':', "-"));
        let manifest: Value =
            serde_json::from_str(&self.read(&blob(resolved["manifest"]["digest"].as_str().unwrap()))).unwrap();
        let bundle = json!({"digest": resolved["bundle"]["digest"], "size_bytes": resolved["bundle"]["size_bytes"]});
        let changed = change(&manifest, bundle).to_string();
        let digest = Digest::of(changed.as_bytes()).to_string();
        self.write(&blob(&digest), changed);
        resolved["manifest"]["digest"] = digest.into();
        self.write(&entry, document.to_string());
    }

    /// `smcp` with the words of `line` as its arguments, not started yet.
    pub(crate) fn smcp(&self, line: &str) -> Invocation<'_> {
        let mut command = Command::new(env!("CARGO_BIN_EXE_smcp"));
        command.args(line.split_whitespace()).current_dir(&self.path);
        command.env_clear().env("HOME", &self.path).env("PATH", std::env::var_os("PATH").unwrap());
        Invocation { bed: self, command, input: Vec::new() }
    }

    /// Runs `smcp` without the privilege by which every folder is open to root.
    pub(crate) fn run_unprivileged(&self, line: &str) -> std::process::Output {
        use std::os::unix::fs::MetadataExt as _;
        let smcp = self.smcp(line).command;
        let mut command = Command::new("env");
        if fs::metadata(&self.path).unwrap().uid() == 0 {
            command = Command::new("setpriv");
            command.arg("--bounding-set=-dac_override,-dac_read_search");
        }
        let variables = smcp.get_envs().map(|(name, value)| (name, value.unwrap()));
        command.arg(smcp.get_program()).args(smcp.get_args()).env_clear().envs(variables).current_dir(&self.path);
        command.output().unwrap()
    }

    /// Runs `smcp` to its end, with nothing on standard input.
    pub(crate) fn run(&self, line: &str) -> Ran {
        self.smcp(line).run()
    }

    pub(crate) fn redact(&self, text: &str) -> String {
        Redactor::new(&self.path).redact(text)
    }
}

impl Drop for TestBed {
    fn drop(&mut self) {
        // Kept trees are read-only for everybody but root, and would stay.
        drop(open_up(&self.path(".mcp/cache/trees")));
    }
}

fn open_up(folder: &Path) -> std::io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            fs::set_permissions(entry.path(), fs::Permissions::from_mode(0o700))?;
            open_up(&entry.path())?;
        }
    }
    Ok(())
}

/// `smcp`, about to be started.
pub(crate) struct Invocation<'b> {
    bed: &'b TestBed,
    pub(crate) command: Command,
    input: Vec<u8>,
}

impl Invocation<'_> {
    pub(crate) fn args(mut self, args: &[impl AsRef<std::ffi::OsStr>]) -> Self {
        self.command.args(args);
        self
    }

    pub(crate) fn env(mut self, name: &str, value: impl AsRef<std::ffi::OsStr>) -> Self {
        self.command.env(name, value);
        self
    }

    pub(crate) fn without_env(mut self, name: &str) -> Self {
        self.command.env_remove(name);
        self
    }

    pub(crate) fn input(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        self.input = bytes.into();
        self
    }

    /// Starts it with pipes on all three streams.
    pub(crate) fn start(&mut self) -> Child {
        self.command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    }

    /// Runs it to its end.
    pub(crate) fn run(mut self) -> Ran {
        let mut child = self.start();
        let mut stdin = child.stdin.take().unwrap();
        // A program that refuses its input may have closed the pipe already.
        drop(stdin.write_all(&self.input));
        drop(stdin);
        Ran::new(self.bed, &self.command, child.wait_with_output().unwrap())
    }
}

/// The result of a run, redacted.
pub(crate) struct Ran {
    line: String,
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
    /// Standard output as it was.
    pub(crate) raw: String,
}

impl Ran {
    fn new(bed: &TestBed, command: &Command, output: Output) -> Self {
        let line: Vec<_> = command.get_args().map(|word| word.to_str().unwrap()).collect();
        // If a signal ended smcp there is no exit code; no test expects this value.
        let code = output.status.code().or(output.status.signal().map(|signal| -signal)).unwrap();
        let raw = String::from_utf8(output.stdout).unwrap();
        let stderr = String::from_utf8(output.stderr).unwrap();
        Self { line: bed.redact(&line.join(" ")), code, stdout: bed.redact(&raw), stderr: bed.redact(&stderr), raw }
    }

    #[track_caller]
    pub(crate) fn exits(self, code: i32) -> Self {
        assert_eq!(self.code, code, "{self}");
        self
    }

    #[track_caller]
    pub(crate) fn succeeds(self) -> Self {
        self.exits(0)
    }

    /// Checks that it failed with `code`, wrote all of `words` to standard error, and nothing to standard output.
    #[track_caller]
    pub(crate) fn refuses(self, code: i32, words: &[&str]) -> Self {
        let ran = self.exits(code);
        assert_eq!(ran.stdout, "", "{ran}");
        ran.says(words)
    }

    /// Checks that standard error has all of `words`.
    #[track_caller]
    pub(crate) fn says(self, words: &[&str]) -> Self {
        for word in words {
            assert!(self.stderr.contains(word), "`{word}` is not in: {self}");
        }
        self
    }

    #[track_caller]
    pub(crate) fn silent(self) -> Self {
        assert_eq!(self.stderr, "", "{self}");
        self
    }

    #[track_caller]
    pub(crate) fn prints(self, expected: &str) -> Self {
        assert_eq!(self.stdout, expected, "{self}");
        self
    }

    /// The one document on standard output.
    #[track_caller]
    pub(crate) fn document(&self) -> Value {
        assert_eq!(self.raw.lines().count(), 1, "one line: {self}");
        serde_json::from_str(&self.raw).unwrap()
    }

    /// The run as a snapshot, its document laid out to be read.
    #[track_caller]
    pub(crate) fn document_shown(&self, bed: &TestBed) -> String {
        let pretty = serde_json::to_string_pretty(&self.document()).unwrap();
        format!("$ smcp {}\nexit {}\n{}\n{}", self.line, self.code, bed.redact(&pretty), stream("stderr", &self.stderr))
    }
}

impl fmt::Display for Ran {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (out, err) = (stream("stdout", &self.stdout), stream("stderr", &self.stderr));
        write!(f, "$ smcp {}\nexit {}\n{out}{err}", self.line, self.code)
    }
}

fn stream(name: &str, text: &str) -> String {
    if text.is_empty() { String::new() } else { format!("--- {name}\n{text}") }
}

/// A package to publish.
pub(crate) struct Package {
    pub(crate) reference: String,
    manifest: Value,
    files: Vec<(String, Vec<u8>, u32)>,
    facts: Vec<String>,
}

impl Package {
    /// The example server, under another name.
    pub(crate) fn greeter(reference: &str) -> Self {
        let server = fs::read(format!("{ROOT}/examples/servers/greeter/server.py")).unwrap();
        let manifest = fs::read(format!("{ROOT}/examples/servers/greeter/manifest.json")).unwrap();
        let mut manifest: Value = serde_json::from_slice(&manifest).unwrap();
        let (id, version) = reference.split_once('@').unwrap();
        manifest["package"]["id"] = id.into();
        manifest["package"]["version"] = version.into();
        let files = vec![("server.py".to_owned(), server, 0o644)];
        Self { reference: reference.to_owned(), manifest, files, facts: Vec::new() }
    }

    /// A server made of a line of shell; its arguments begin at `$1`. It may write into the bed's [`PROOF`].
    pub(crate) fn shell(reference: &str, script: &str) -> Self {
        let package = Self::greeter(reference).entrypoint(json!({"command": ["sh", "-c", script, "server"]}));
        package.manifest(|manifest| manifest["permissions"]["filesystem"]["write"] = json!([format!("~/{PROOF}")]))
    }

    pub(crate) fn entrypoint(mut self, entrypoint: Value) -> Self {
        self.manifest["entrypoint"] = entrypoint;
        self
    }

    /// Changes the manifest after everything else.
    pub(crate) fn manifest(mut self, change: impl FnOnce(&mut Value)) -> Self {
        change(&mut self.manifest);
        self
    }

    /// A package whose permissions nobody knows: its server is not confined to its files.
    pub(crate) fn unknown(self) -> Self {
        self.manifest(|manifest| drop(manifest.as_object_mut().unwrap().remove("permissions")))
    }

    /// A package that is unpacked for each run.
    pub(crate) fn writable(self) -> Self {
        self.manifest(|manifest| manifest["workdir_writable"] = true.into())
    }

    pub(crate) fn file(mut self, name: &str, text: impl AsRef<[u8]>, mode: u32) -> Self {
        self.files.push((name.to_owned(), text.as_ref().to_vec(), mode));
        self
    }

    pub(crate) fn facts(mut self, origin: &str, level: u8, score: u8) -> Self {
        self.facts = ["--origin", origin, "--cert-level", &level.to_string(), "--score", &score.to_string()]
            .map(str::to_owned)
            .into();
        self
    }

    /// Facts that pass every policy.
    pub(crate) fn good(self) -> Self {
        self.facts("official", 3, 95)
    }

    pub(crate) fn option(mut self, name: &str, value: &str) -> Self {
        self.facts.extend([name.to_owned(), value.to_owned()]);
        self
    }
}

/// Turns one bit of a file, in its middle.
pub(crate) fn corrupt(path: &Path) {
    let mut bytes = fs::read(path).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::set_permissions(path, fs::Permissions::from_mode(0o600)).unwrap();
    fs::write(path, bytes).unwrap();
}
