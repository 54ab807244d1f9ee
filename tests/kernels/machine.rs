//! A machine in software: a kernel, a file system in memory, and the steps that its first process takes.

use std::fs;
use std::io::BufRead as _;
use std::io::BufReader;
use std::process::Child;
use std::process::Command;
use std::process::Stdio;
use std::sync::mpsc;
use std::sync::mpsc::RecvTimeoutError;
use std::time::Duration;
use std::time::Instant;

use serde_json::Value;
use serde_json::json;

use crate::image::Image;
use crate::packages::KernelImage;

const QEMU: &str = "qemu-system-x86_64";
/// How long a machine may take for all of its steps.
const MOST: Duration = Duration::from_mins(8);
/// How long one step may take, seconds.
const STEP_SECONDS: u64 = 120;
/// How much of a command line is shown.
const SHOWN: usize = 100;

/// Whether there is a program that machines run in.
pub(crate) fn can_start() -> bool {
    Command::new(QEMU).arg("--version").output().is_ok_and(|output| output.status.success())
}

/// Who takes a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum User {
    Root,
    Ordinary,
}

impl User {
    pub(crate) const ALL: [Self; 2] = [Self::Ordinary, Self::Root];

    const fn name(self) -> &'static str {
        match self {
            Self::Root => "root",
            Self::Ordinary => "user",
        }
    }
}

/// What came of a step.
#[derive(Debug, Clone)]
pub(crate) struct Outcome {
    pub(crate) code: i64,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

/// What is to happen in a machine, in this order.
#[derive(Debug, Default)]
pub(crate) struct Steps(Vec<Value>);

impl Steps {
    /// Has a user run smcp; returns the number of the step.
    pub(crate) fn smcp(&mut self, user: User, words: &[&str]) -> usize {
        self.run(user, &[&["/usr/local/bin/smcp"], words].concat())
    }

    /// Has a user run a program.
    pub(crate) fn run(&mut self, user: User, words: &[&str]) -> usize {
        let line: String = words.join(" ").chars().take(SHOWN).collect();
        let name = format!("{}: {line}", user.name());
        let env = json!({"PROBE_ABSTRACT": "smcp-session", "PORT": "8080"});
        self.add(json!({"name": name, "run": words, "user": user.name(), "env": env, "seconds": STEP_SECONDS}))
    }

    /// Writes to a file: most are settings of the kernel.
    pub(crate) fn write(&mut self, path: &str, text: &str) -> usize {
        self.add(json!({"name": format!("{text} > {path}"), "write": path, "text": text}))
    }

    /// Mounts `/proc` anew, with these options.
    pub(crate) fn remount_proc(&mut self, read_only: bool, options: &str) -> usize {
        let name = format!("mount -o {} {options} /proc", if read_only { "ro" } else { "rw" });
        self.add(json!({"name": name, "remount": options, "read-only": read_only}))
    }

    /// Asks for the version of Landlock.
    pub(crate) fn landlock(&mut self) -> usize {
        self.add(json!({"name": "landlock", "landlock": true}))
    }

    fn add(&mut self, step: Value) -> usize {
        self.0.push(step);
        self.0.len() - 1
    }
}

/// What a machine has said until it ended.
#[derive(Debug)]
pub(crate) struct Ended {
    /// The version of its kernel, as `uname -r` says it.
    pub(crate) kernel: String,
    outcomes: Vec<(String, Outcome)>,
}

impl Ended {
    pub(crate) fn of(&self, step: usize) -> &Outcome {
        &self.outcomes[step].1
    }

    /// What a step was.
    pub(crate) fn name(&self, step: usize) -> &str {
        &self.outcomes[step].0
    }

    /// The document that a step printed, whatever its code.
    #[track_caller]
    pub(crate) fn document(&self, step: usize) -> Value {
        let (name, outcome) = &self.outcomes[step];
        serde_json::from_str(&outcome.stdout).unwrap_or_else(|_| panic!("{}: {name}: {outcome:#?}", self.kernel))
    }
}

/// A process that ends with its owner.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended before.
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

/// Boots a kernel with more words on its command line, and takes the steps.
pub(crate) fn boot(kernel: &KernelImage, (cpu, line): (&str, &str), mut image: Image, steps: Steps) -> Ended {
    let began = Instant::now();
    let steps_asked = steps.0.len();
    image.file("steps.json", Value::from(steps.0).to_string().as_bytes(), 0o644);
    let folder = tempfile::tempdir().unwrap();
    let (archive, console) = (folder.path().join("initrd"), folder.path().join("console"));
    fs::write(&archive, image.finish()).unwrap();
    let mut qemu = Command::new(QEMU);
    qemu.args(["-nodefaults", "-no-user-config", "-display", "none", "-no-reboot", "-smp", "2", "-m", "1024"]);
    qemu.args(["-accel", "tcg,thread=multi", "-cpu", cpu, "-kernel"]).arg(&kernel.path).arg("-initrd").arg(&archive);
    qemu.args(["-serial", &format!("file:{}", console.display()), "-serial", "stdio"]);
    qemu.args(["-append", &format!("console=ttyS0 panic=-1 quiet {line}")]);
    qemu.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::inherit());
    let mut running = Running(qemu.spawn().unwrap());
    let lines = BufReader::new(running.0.stdout.take().unwrap()).lines();
    let (sender, said) = mpsc::channel();
    let reader = std::thread::spawn(move || {
        for line in lines.map_while(Result::ok) {
            drop(sender.send(line));
        }
    });
    let mut outcomes = Vec::new();
    let in_time = loop {
        match said.recv_timeout(MOST.saturating_sub(began.elapsed())) {
            Ok(line) => outcomes.push(outcome(&line)),
            Err(RecvTimeoutError::Disconnected) => break true,
            Err(RecvTimeoutError::Timeout) => break false,
        }
    };
    drop(running);
    reader.join().unwrap();
    let shown = || fs::read_to_string(&console).unwrap_or_default();
    assert!(in_time, "a machine takes too long, after {outcomes:#?}\n{}", shown());
    assert_eq!(
        outcomes.len(),
        steps_asked + 1,
        "the machine ended too early, after {:?}\n{}",
        outcomes.last(),
        shown()
    );
    let (_, first) = outcomes.remove(0);
    let kernel = first.stdout;
    crate::say(&format!("{kernel} {line}: {} steps in {:.0?}", outcomes.len(), began.elapsed()));
    Ended { kernel, outcomes }
}

fn outcome(line: &str) -> (String, Outcome) {
    let said: Value = serde_json::from_str(line.trim()).unwrap_or_else(|_| panic!("`{line}`"));
    let text = |name: &str| said[name].as_str().unwrap().to_owned();
    (text("name"), Outcome { code: said["code"].as_i64().unwrap(), stdout: text("stdout"), stderr: text("stderr") })
}
