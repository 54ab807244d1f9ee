//! Two users of one machine: the attacker can't redirect the victim's log.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::fs::chown;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::path::PathBuf;
use std::process::Command;
use std::process::Stdio;

use nix::unistd::Uid;
use tempfile::TempDir;

/// The victim owns the home and the log, the attacker wants them. The numbers need no user names.
const VICTIM: u32 = 64_001;
const ATTACKER: u32 = 64_002;

/// A folder that every user may write to, like /tmp, with the victim's home in it.
struct Machine {
    folder: TempDir,
    smcp: PathBuf,
}

/// The result of a run.
struct Ran {
    code: i32,
    stderr: String,
}

impl Machine {
    /// Returns `None` if the tests do not run as root, and so can't become other users.
    fn new() -> Option<Self> {
        if !Uid::effective().is_root() {
            return None;
        }
        let folder = TempDir::new().unwrap();
        set_mode(folder.path(), 0o1777);
        let smcp = folder.path().join("smcp");
        let built = env!("CARGO_BIN_EXE_smcp");
        fs::hard_link(built, &smcp).or_else(|_| fs::copy(built, &smcp).map(drop)).unwrap();
        let machine = Self { folder, smcp };
        machine.folder_of(VICTIM, "home", 0o700);
        machine.folder_of(VICTIM, "home/.mcp", 0o700);
        machine.write_as(VICTIM, "home/facts.json", "{}");
        Some(machine)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn folder_of(&self, uid: u32, name: &str, mode: u32) {
        fs::create_dir(self.path(name)).unwrap();
        set_mode(&self.path(name), mode);
        chown(self.path(name), Some(uid), Some(uid)).unwrap();
    }

    fn write_as(&self, uid: u32, name: &str, text: &str) {
        fs::write(self.path(name), text).unwrap();
        chown(self.path(name), Some(uid), Some(uid)).unwrap();
    }

    /// Makes a link that belongs to `uid`.
    fn link(&self, uid: u32, target: &str, name: &str) {
        symlink(self.path(target), self.path(name)).unwrap();
        std::os::unix::fs::lchown(self.path(name), Some(uid), Some(uid)).unwrap();
    }

    /// Makes a decision as the victim, with the log at `log`.
    fn decide(&self, log: &str) -> Ran {
        let log = self.path(log);
        self.write_as(VICTIM, "home/.mcp/config.yaml", &format!("audit_log: {}\n", log.display()));
        let mut command = Command::new("setpriv");
        command.args(["--reuid", &VICTIM.to_string(), "--regid", &VICTIM.to_string(), "--clear-groups", "--"]);
        command.arg(&self.smcp).args(["policy", "eval", "--facts", "facts.json"]);
        command.current_dir(self.path("home")).env("HOME", self.path("home")).stdin(Stdio::null());
        let output = command.output().unwrap();
        Ran { code: output.status.code().unwrap(), stderr: String::from_utf8(output.stderr).unwrap() }
    }
}

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

#[test]
fn what_another_user_could_change_is_no_place_for_a_log() {
    let Some(machine) = Machine::new() else {
        eprintln!("not tried with two users, which takes root; `place` has the same of one user");
        return;
    };
    let secret = "home/secret";
    machine.write_as(VICTIM, secret, "");
    type Plant = fn(&Machine);
    let cases: [(&str, &str, Plant, &str); 9] = [
        (
            "a folder for everybody",
            "audit.jsonl",
            |_| {},
            "others may write to it (mode 1777)\n  name a file in a folder of your own with `audit_log`",
        ),
        (
            "a link planted at the log",
            "a.jsonl",
            |m| m.link(ATTACKER, "home/secret", "a.jsonl"),
            "others may write to it",
        ),
        (
            "a link planted at the lock",
            "b.jsonl",
            |m| m.link(ATTACKER, "home/secret", "b.lock"),
            "others may write to it",
        ),
        (
            "a folder of the attacker",
            "theirs/audit.jsonl",
            |m| m.folder_of(ATTACKER, "theirs", 0o755),
            "it belongs to another user (uid 64002)",
        ),
        (
            "a link to a folder of the attacker",
            "link/audit.jsonl",
            |m| {
                m.folder_of(ATTACKER, "hidden", 0o755);
                m.link(ATTACKER, "hidden", "link");
            },
            "link is not safe for the audit log: it leads to ",
        ),
        (
            "a folder that others were let into",
            "open/audit.jsonl",
            |m| m.folder_of(VICTIM, "open", 0o777),
            "others may write to it (mode 0777)",
        ),
        (
            "the log is somebody else's",
            "own1/audit.jsonl",
            |m| {
                m.folder_of(VICTIM, "own1", 0o700);
                m.write_as(ATTACKER, "own1/audit.jsonl", "");
                set_mode(&m.path("own1/audit.jsonl"), 0o666);
            },
            "it belongs to another user (uid 64002)",
        ),
        (
            "the lock is somebody else's, and closed",
            "own2/audit.jsonl",
            |m| {
                m.folder_of(VICTIM, "own2", 0o700);
                m.write_as(ATTACKER, "own2/audit.lock", "");
                set_mode(&m.path("own2/audit.lock"), 0o600);
            },
            "own2/audit.lock is not safe for the audit log: it belongs to another user (uid 64002)",
        ),
        (
            "left by root, by `sudo` with HOME kept",
            "own3/audit.jsonl",
            |m| {
                m.folder_of(VICTIM, "own3", 0o700);
                m.write_as(0, "own3/audit.jsonl", "");
                set_mode(&m.path("own3/audit.jsonl"), 0o600);
            },
            "own3/audit.jsonl is not safe for the audit log: it belongs to another user (uid 0)",
        ),
    ];
    for (name, log, plant, says) in cases {
        plant(&machine);
        let ran = machine.decide(log);
        assert!(ran.code == 1 && ran.stderr.contains(says), "{name}: {} {}", ran.code, ran.stderr);
        assert_eq!(fs::metadata(machine.path(secret)).unwrap().len(), 0, "{name}");
    }
    for left in ["audit.jsonl", "audit.lock", "hidden/audit.jsonl", "theirs/audit.jsonl", "open/audit.jsonl"] {
        assert!(!machine.path(left).exists(), "nothing was written to {left}");
    }
}

#[test]
fn a_folder_of_ones_own_is_a_place_wherever_it_is() {
    let Some(machine) = Machine::new() else { return };
    machine.folder_of(VICTIM, "mine", 0o700);
    let ran = machine.decide("mine/audit.jsonl");
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let metadata = fs::metadata(machine.path("mine/audit.jsonl")).unwrap();
    assert_eq!((metadata.uid(), metadata.mode() & 0o777), (VICTIM, 0o600));
    // A folder of root that only root can write to is safe, but the victim can't write to it either.
    machine.folder_of(0, "roots", 0o755);
    let ran = machine.decide("roots/audit.jsonl");
    assert!(
        ran.code == 1 && ran.stderr.contains("Permission denied") && ran.stderr.contains("`audit_log`"),
        "{}",
        ran.stderr
    );
}

/// `sudo -E` and a HOME of another user: the message names the owner, and writes the path without `~`.
#[test]
fn a_home_of_somebody_else_is_named() {
    let Some(machine) = Machine::new() else { return };
    machine.folder_of(ATTACKER, "other", 0o755);
    machine.folder_of(ATTACKER, "closed", 0o711);
    machine.folder_of(ATTACKER, "closed/.mcp", 0o700);
    for (home, says) in [
        ("other", ["other, which is HOME and belongs to another user (uid 64002)", "`audit_log`"]),
        (
            "closed",
            ["closed/.mcp: the configuration can't be read", "closed, which belongs to another user (uid 64002)"],
        ),
    ] {
        let mut command = Command::new("setpriv");
        command.args(["--reuid", &VICTIM.to_string(), "--regid", &VICTIM.to_string(), "--clear-groups", "--"]);
        command.arg(&machine.smcp).args(["policy", "eval", "--facts", "facts.json"]);
        command.current_dir(machine.path("home")).env("HOME", machine.path(home)).stdin(Stdio::null());
        let output = command.output().unwrap();
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{home}: {stderr}");
        for says in says {
            assert!(stderr.contains(says), "{home}: {says}: {stderr}");
        }
        assert!(!stderr.contains('~') || home == "other", "{home}: {stderr}");
    }
}
