//! The compiling child: what it makes, what it may not do, and every way in which it can end.

use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::time::Duration;

use tempfile::TempDir;

use crate::bed::TestBed;
use crate::bombs;
use crate::corpus::NEEDS_CHILD;
use crate::guest::Twin;
use smcp_code::ChildCompiler;
use smcp_model::deadline::Deadline;
use smcp_model::digest::Digest;
use smcp_model::limits::PolicyLimits;
use smcp_model::verdict::Fault;
use smcp_model::verdict::FaultKind;
use smcp_policy::CompileOrder;
use smcp_policy::Compiler;
use smcp_policy::ComponentShape;
use smcp_policy::InProcess;
use smcp_policy::MachineCode;
use smcp_policy::NotCompiled;

const SMCP: &str = env!("CARGO_BIN_EXE_smcp");
const SCORE: &[u8] = include_bytes!("../../builtin-policies/dist/score.wasm");

fn child(program: impl Into<PathBuf>) -> ChildCompiler {
    let program = program.into();
    ChildCompiler::new(move || Ok(program.clone()), || None)
}

fn compile_by(compiler: &dyn Compiler, component: &[u8], deadline: Deadline) -> Result<MachineCode, NotCompiled> {
    compiler.compile(&CompileOrder { component, digest: Digest::of(component), deadline })
}

#[track_caller]
fn not_now(compiled: Result<MachineCode, NotCompiled>) -> Fault {
    match compiled {
        Err(NotCompiled::NotNow(fault)) => fault,
        other => panic!("{other:?}"),
    }
}

/// A program in the place of the compiler: a script with these lines.
struct Stand(TempDir);

impl Stand {
    fn of(shell: &str, script: &str) -> Self {
        let folder = TempDir::new().unwrap();
        let path = folder.path().join("compiler");
        fs::write(&path, format!("#!{shell}\n{script}\n")).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o700)).unwrap();
        Self(folder)
    }

    fn compiler(self) -> ChildCompiler {
        // The folder lives as long as the compiler.
        ChildCompiler::new(move || Ok(self.0.path().join("compiler")), || None)
    }
}

#[test]
fn a_child_makes_the_code_that_this_process_would() {
    for component in ["origin", "certification", "score"] {
        let path = format!("{}/../builtin-policies/dist/{component}.wasm", env!("CARGO_MANIFEST_DIR"));
        let component = fs::read(path).unwrap();
        let [here, there]: [&dyn Compiler; 2] = [&InProcess, &child(SMCP)];
        let [here, there] = [here, there].map(|it| compile_by(it, &component, Deadline::none()).unwrap());
        assert!(here.as_bytes() == there.as_bytes(), "the same component gives the same code, wherever it is compiled");
    }
}

/// What a child can't do, it says itself: it tries all of it once it is confined.
#[test]
fn a_child_can_read_nothing_open_nothing_and_start_nothing() {
    let (confinement, done) = child(SMCP).try_out().unwrap();
    assert_eq!(done, [""; 0], "{confinement:?}");
}

/// `doctor` has it tried, here and now.
#[test]
fn the_diagnosis_says_how_the_compiler_is_confined() {
    let bed = TestBed::new();
    bed.configure("");
    let document = bed.run("doctor --json").document();
    let checks = document["checks"].as_array().unwrap();
    let check = checks.iter().find(|check| check["name"] == "compiler").unwrap();
    let (confinement, _) = child(SMCP).try_out().unwrap();
    let expected = if confinement.missing.is_empty() { "ok" } else { "warning" };
    assert_eq!(check["health"], expected, "{check}");
}

/// The same fault, whoever compiles, and it may be kept.
#[test]
fn a_component_that_is_not_valid_is_refused_for_good() {
    let mut broken = SCORE.to_vec();
    let middle = broken.len() / 2;
    broken[middle..].fill(0xff);
    let [here, there]: [&dyn Compiler; 2] = [&InProcess, &child(SMCP)];
    let [here, there] = [here, there].map(|it| compile_by(it, &broken, Deadline::none()).unwrap_err());
    assert!(matches!(here, NotCompiled::Never(_)), "{here:?}");
    assert_eq!(here, there);
}

const TOO_MUCH_MEMORY: &str = "it takes more than 1.0 GiB of memory to compile";
const TOO_MUCH_TIME: &str = "it takes more than 120s of CPU time to compile";

/// A child keeps a limit that is lower than its own, so that not every bomb has to burn for as long as it may.
fn bounded(limit: &str) -> Stand {
    Stand::of("/bin/bash", &format!("ulimit -S {limit}; exec -a smcp-compiler '{SMCP}'"))
}

/// Hostile policies that get past every count, and are compiled nowhere else.
#[test]
fn what_only_a_child_can_bound_ends_there() {
    let limits = [("-t 1", TOO_MUCH_TIME), ("-v 262144", TOO_MUCH_MEMORY)];
    for (file, (limit, expected)) in NEEDS_CHILD.into_iter().zip(limits) {
        let component = Twin::of(file).component();
        assert_eq!(ComponentShape::of(&component, PolicyLimits::DEFAULT.component_size).err(), None, "{file}");
        let fault = not_now(compile_by(&bounded(limit).compiler(), &component, Deadline::none()));
        assert_eq!(fault.message.as_str(), expected, "{file}");
    }
}

/// None of them is a function of the bytes, so none may be kept.
#[test]
fn bombs_end_the_child_and_nothing_else() {
    let (memory, time) = (TOO_MUCH_MEMORY, TOO_MUCH_TIME);
    for (bomb, component, compiler, expected) in [
        ("tower", bombs::tower(10, 7), child(SMCP), memory),
        ("loops", bombs::nested_loops(1_000, 1_000), bounded("-v 262144").compiler(), memory),
        ("loops", bombs::nested_loops(1_000, 1_000), bounded("-t 1").compiler(), time),
    ] {
        assert!(component.len() < 20 * 1024, "{bomb}: {} bytes", component.len());
        let fault = not_now(compile_by(&compiler, &component, Deadline::none()));
        assert_eq!(fault.message.as_str(), expected, "{bomb}");
    }
}

#[test]
fn a_child_is_ended_when_nobody_waits_for_it() {
    let deadline = Deadline::after(Duration::from_millis(200));
    let fault = not_now(compile_by(&child(SMCP), &bombs::nested_loops(1_000, 1_000), deadline));
    assert_eq!(fault.message.as_str(), "it was not compiled in time, and the compiler was ended");
}

/// Whatever comes in the place of the compiler: a fault, never code.
#[test]
fn a_child_that_does_otherwise_is_no_compiler() {
    let soon = Deadline::after(Duration::from_secs(1));
    let cases = [
        ("exit 0", Deadline::none(), "it makes the compiler fail (it gave no whole answer)"),
        ("exit 3", Deadline::none(), "it makes the compiler fail (exit status: 3)"),
        ("cat", Deadline::none(), "it makes the compiler fail (it gave no whole answer)"),
        ("kill -SEGV $$", Deadline::none(), "it makes the compiler fail (SIGSEGV)"),
        (
            "kill -KILL $$",
            Deadline::none(),
            "it was not compiled: the system killed the compiler, as it does when memory runs out",
        ),
        (
            "echo 'memory allocation of 7 bytes failed' >&2; kill -ABRT $$",
            Deadline::none(),
            "it takes more than 1.0 GiB of memory to compile",
        ),
        ("exec cat /dev/zero", Deadline::none(), "it makes more than 256.0 MiB of machine code"),
        ("exec cat /dev/zero >&2", soon, "it was not compiled in time, and the compiler was ended"),
        ("exec >&- 2>&-; exec tail -f /dev/null", soon, "it was not compiled in time, and the compiler was ended"),
        ("exec tail -f /dev/null", soon, "it was not compiled in time, and the compiler was ended"),
    ];
    for (script, deadline, expected) in cases {
        let compiler = Stand::of("/bin/sh", script).compiler();
        let fault = not_now(compile_by(&compiler, SCORE, deadline));
        assert_eq!(fault.message.as_str(), expected, "{script}");
        assert_eq!(fault.kind, FaultKind::Load);
    }
}

#[test]
fn without_a_program_there_is_no_code_and_a_way_out() {
    for compiler in [ChildCompiler::new(|| Err(io::ErrorKind::NotFound.into()), || None), child("/nowhere/smcp")] {
        let fault = not_now(compile_by(&compiler, SCORE, Deadline::none()));
        assert!(fault.message.as_str().starts_with("it can't be compiled: smcp can't start itself as a compiler: "));
        assert!(fault.remedy.unwrap().as_str().contains("mount /proc"));
    }
}
