//! Two users of one machine: neither can put code into a run of the other.
//!
//! As root the test becomes both of them. Other users can't become another one, so for them the attacker is replaced by
//! what he would need: a folder that others may write to.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::fs::chown;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::path::PathBuf;
use std::process::Child;
use std::process::Command;
use std::process::Stdio;

use nix::unistd::Uid;

use crate::bed::Package;
use crate::bed::Ran;
use crate::bed::TestBed;

const TOOL: &str = "acme/tool@1.0.0";
/// Users without an account here. The victim starts servers, and the attacker wants to replace them.
const VICTIM: u32 = 61_001;
const ATTACKER: u32 = 61_002;

/// A machine with a registry, a home, and a folder `shared`.
struct Machine {
    bed: TestBed,
    is_root: bool,
}

impl Machine {
    fn new() -> Self {
        let bed = TestBed::new();
        bed.configure("");
        bed.publish(&Package::shell(TOOL, "echo honest").good());
        fs::create_dir(bed.path("shared")).unwrap();
        let machine = Self { bed, is_root: Uid::effective().is_root() };
        if machine.is_root {
            // A place that both users can reach; secret files have their own mode.
            machine.set("", 0o755);
            machine.set("registry", 0o755);
            let (program, here) = (env!("CARGO_BIN_EXE_smcp"), machine.path("smcp"));
            fs::hard_link(program, &here).or_else(|_| fs::copy(program, &here).map(drop)).unwrap();
            machine.give(".mcp", VICTIM, 0o700);
            machine.give(".mcp/config.yaml", VICTIM, 0o600);
            machine.give(".mcp/audit.jsonl", VICTIM, 0o600);
            machine.give(".mcp/audit.lock", VICTIM, 0o600);
            fs::remove_dir_all(machine.bed.path(".mcp/cache")).ok();
        }
        machine
    }

    fn path(&self, name: &str) -> PathBuf {
        self.bed.path(name)
    }

    fn set(&self, name: &str, mode: u32) {
        fs::set_permissions(self.path(name), fs::Permissions::from_mode(mode)).unwrap();
    }

    /// Gives a file to a user; without root only its mode changes.
    fn give(&self, name: &str, uid: u32, mode: u32) {
        if self.path(name).exists() {
            if self.is_root {
                chown(self.path(name), Some(uid), Some(uid)).unwrap();
            }
            self.set(name, mode);
        }
    }

    /// Makes a folder of a user.
    fn folder(&self, name: &str, uid: u32, mode: u32) {
        fs::create_dir_all(self.path(name)).unwrap();
        self.give(name, uid, mode);
    }

    /// Makes a command run as a user; without root, as the current one.
    fn as_user(&self, uid: u32, command: &Command) -> Command {
        let mut other = Command::new(if self.is_root { "setpriv" } else { "env" });
        if self.is_root {
            other.args([format!("--reuid={uid}"), format!("--regid={uid}"), "--clear-groups".to_owned()]);
        }
        let is_smcp = command.get_program() == env!("CARGO_BIN_EXE_smcp") && self.is_root;
        let program = if is_smcp { self.path("smcp").into_os_string() } else { command.get_program().to_owned() };
        other.arg(program).args(command.get_args()).current_dir(self.path(""));
        other.env_clear().env("PATH", std::env::var_os("PATH").unwrap()).env("HOME", self.path(""));
        other.envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
        other
    }

    /// Runs the victim's `smcp`.
    fn smcp(&self, line: &str, variables: &[(&str, &Path)]) -> Ran {
        let mut invocation = self.bed.smcp(line);
        let mut command = self.as_user(VICTIM, &invocation.command);
        command.envs(variables.iter().copied());
        invocation.command = command;
        invocation.run()
    }

    /// Starts a script of the attacker.
    fn attack(&self, script: &str) -> Attack {
        let mut shell = Command::new("sh");
        shell.args(["-c", script]);
        let mut shell = self.as_user(ATTACKER, &shell);
        Attack(shell.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap())
    }
}

/// Ends with the test, in any case.
struct Attack(Child);

impl Drop for Attack {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

#[test]
fn a_cache_that_somebody_else_could_change_starts_nothing() {
    type Make = fn(&Machine);
    let cases: [(&str, Make, &str); 9] = [
        ("a sticky folder for everybody", |machine| machine.folder("shared/cache", 0, 0o1777), "shared/cache"),
        ("a sticky folder of one's own", |machine| machine.folder("shared/cache", VICTIM, 0o1777), "shared/cache"),
        ("a folder for everybody", |machine| machine.folder("shared/cache", VICTIM, 0o777), "shared/cache"),
        ("a folder for a group", |machine| machine.folder("shared/cache", VICTIM, 0o2775), "shared/cache"),
        (
            "blobs of somebody else",
            |machine| {
                machine.folder("shared/cache", VICTIM, 0o700);
                machine.folder("shared/cache/blobs", ATTACKER, 0o777);
            },
            "shared/cache/blobs",
        ),
        (
            "facts of somebody else",
            |machine| {
                machine.folder("shared/cache", VICTIM, 0o700);
                machine.folder("shared/cache/resolutions", ATTACKER, 0o777);
            },
            "shared/cache/resolutions",
        ),
        (
            "runs of somebody else",
            |machine| {
                machine.folder("shared/cache", VICTIM, 0o700);
                machine.folder("shared/cache/runs", ATTACKER, 0o777);
            },
            "shared/cache/runs",
        ),
        (
            "runs for everybody, sticky",
            |machine| {
                machine.folder("shared/cache", VICTIM, 0o700);
                machine.folder("shared/cache/runs", 0, 0o1777);
            },
            "shared/cache/runs",
        ),
        (
            "a link to a folder of somebody else",
            |machine| {
                machine.folder("shared", 0, 0o1777);
                machine.folder("shared/evil", ATTACKER, 0o777);
                symlink("evil", machine.path("shared/cache")).unwrap();
            },
            "shared/cache",
        ),
    ];
    for (case, make, place) in cases {
        let machine = Machine::new();
        machine.folder("shared", VICTIM, 0o755);
        make(&machine);
        let says = format!("[HOME]/{place} is not safe for what runs: ");
        for line in ["run", "run --dry-run", "pull"] {
            let ran = machine.smcp(&format!("{line} --cache-dir shared/cache {TOOL}"), &[]);
            assert!(ran.code == 1 && ran.stdout.is_empty() && ran.stderr.contains(&says), "{case}: {ran}");
        }
        let doctor = machine.smcp("--cache-dir shared/cache doctor", &[]);
        assert!(doctor.code == 1 && doctor.stdout.contains(&says), "{case}: {doctor}");
        let document = machine.smcp(&format!("--json policy check --cache-dir shared/cache {TOOL}"), &[]).document();
        assert_eq!(document["code"], "cache-unusable", "{case}: {document}");
    }
}

#[test]
fn who_may_rename_the_cache_does_not_get_into_a_run() {
    let machine = Machine::new();
    // Not sticky: the attacker may rename the victim's files.
    machine.folder("shared", ATTACKER, 0o777);
    machine.folder("shared/evil", ATTACKER, 0o755);
    let attack = machine.attack(
        "cd shared; while [ -e . ]; do mv -T cache saved && mv -T evil cache; mv -T cache evil; mv -T saved cache; done",
    );
    let mut started = 0;
    for _ in 0..8 {
        let ran = machine.smcp(&format!("run --cache-dir shared/cache {TOOL}"), &[]);
        // A refused run failed because of the folder's owner, or because the folder had just been moved away.
        assert!(ran.code == 0 && ran.stdout == "honest\n" || ran.code == 1 && ran.stdout.is_empty(), "{ran}");
        started += usize::from(ran.code == 0);
    }
    drop(attack);
    // The attacker may have renamed it.
    for name in ["cache", "evil", "saved"] {
        let path = machine.path("shared").join(name);
        if machine.is_root && fs::metadata(&path).is_ok_and(|found| found.uid() == ATTACKER) {
            assert_eq!(fs::read_dir(&path).unwrap().count(), 0, "nothing was put there; {started} runs started");
        }
    }
}

/// Fills a cache as root, as in an image, for others to read.
fn filled_by_root(machine: &Machine) {
    machine.bed.run(&format!("--cache-dir shared/image pull {TOOL}")).succeeds();
    let status = Command::new("chmod").args(["-R", "a+rX"]).arg(machine.path("shared/image")).status().unwrap();
    assert!(status.success());
    if !machine.is_root {
        // Without root, a cache in which nothing can be written takes its place.
        let status = Command::new("chmod").args(["-R", "a-w"]).arg(machine.path("shared/image")).status().unwrap();
        assert!(status.success());
    }
    if machine.is_root {
        for name in [".mcp/audit.jsonl", ".mcp/audit.lock"] {
            machine.give(name, VICTIM, 0o600);
        }
    }
}

#[test]
fn a_cache_that_root_has_filled_runs_for_everybody() {
    let machine = Machine::new();
    filled_by_root(&machine);
    machine.folder("xdg", VICTIM, 0o700);
    let xdg = machine.path("xdg");
    let with_xdg: &[(&str, &Path)] = &[("XDG_RUNTIME_DIR", &xdg)];
    let run = format!("run --cache-dir shared/image {TOOL}");
    let ran = machine.smcp(&run, with_xdg);
    assert!(ran.code == 0 && ran.stdout == "honest\n" && ran.stderr.is_empty(), "{ran}");
    assert_eq!(machine.bed.list("xdg/smcp/runs"), [""; 0]);
    assert_eq!(machine.bed.list("shared/image"), ["CACHEDIR.TAG", "blobs", "resolutions"]);
    let doctor = machine.smcp("--cache-dir shared/image doctor", with_xdg);
    assert!(doctor.code == 0 && doctor.stdout.contains("it can only be read"), "{doctor}");

    // With the registry gone, the answer that root stored is trusted.
    fs::rename(machine.path("registry"), machine.path("elsewhere")).unwrap();
    let ran = machine.smcp(&run, with_xdg);
    assert!(ran.code == 0 && ran.stdout == "honest\n", "{ran}");
    assert_eq!(machine.smcp("--cache-dir shared/image cache ls", &[]).code, 0);

    // Without a usable runtime folder the message says how to set one; `runtime_dir` does, and wins.
    let ran = machine.smcp(&run, &[]);
    assert!(ran.code == 1 && ran.stderr.contains("can't make a folder in it: Permission denied"), "{ran}");
    assert!(ran.stderr.contains("shared/image") && ran.stderr.contains("`runtime_dir`"), "{ran}");
    machine.bed.configure("runtime_dir: ~/own/run\n");
    machine.folder("own", VICTIM, 0o700);
    let ran = machine.smcp(&run, &[]);
    assert!(ran.code == 0 && ran.stdout == "honest\n", "{ran}");
    assert_eq!(machine.bed.list("own/run"), ["runs"]);

    // Files of other users are not trusted: not even in a folder of root.
    let folder = &machine.bed.list("shared/image/resolutions")[0];
    let folder = format!("shared/image/resolutions/{folder}");
    let document = format!("{folder}/{}", machine.bed.list(&folder)[0]);
    machine.set(&document, 0o644);
    machine.give(&document, ATTACKER, if machine.is_root { 0o644 } else { 0o666 });
    let ran = machine.smcp(&run, &[]);
    assert!(ran.code == 2 && ran.stdout.is_empty(), "{ran}");
    let owner = fs::metadata(machine.path(&document)).unwrap().uid();
    assert!(!machine.is_root || owner == ATTACKER);
    // So that its owner can remove it.
    drop(Command::new("chmod").args(["-R", "u+w"]).arg(machine.path("shared")).status());
}

#[test]
fn a_folder_for_runs_that_others_could_change_is_not_used() {
    let machine = Machine::new();
    filled_by_root(&machine);
    machine.folder("xdg", VICTIM, 0o700);
    let xdg = machine.path("xdg");
    let run = format!("run --cache-dir shared/image {TOOL}");
    for (mode, uid, fits) in [(0o777, VICTIM, false), (0o1777, VICTIM, false), (0o700, VICTIM, true)] {
        machine.folder("xdg/smcp", uid, mode);
        let ran = machine.smcp(&run, &[("XDG_RUNTIME_DIR", &xdg)]);
        assert_eq!(ran.code, i32::from(!fits), "{mode:o}: {ran}");
        assert!(fits || ran.stderr.contains("[HOME]/xdg/smcp is not safe for what runs"), "{mode:o}: {ran}");
    }
    machine.bed.configure("runtime_dir: ~/open\n");
    machine.folder("open", ATTACKER, 0o777);
    let ran = machine.smcp(&run, &[("XDG_RUNTIME_DIR", &xdg)]);
    assert!(ran.code == 1 && ran.stderr.contains("[HOME]/open is not safe for what runs"), "{ran}");
    drop(Command::new("chmod").args(["-R", "u+w"]).arg(machine.path("shared")).status());
}
