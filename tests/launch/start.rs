//! How a server is started, and what can't be started.

use std::io::Seek as _;
use std::io::Write as _;
use std::time::Duration;

use nix::errno::Errno;
use nix::sys::signal::kill;
use nix::unistd::Pid;

use crate::bed::Bed;
use crate::bed::PATIENT;
use crate::bed::clearance;
use crate::bed::clearance_of;
use crate::bed::entrypoint;
use crate::bed::manifest;
use crate::bed::null;
use crate::bed::sh;
use smcp_launch::environment::ServerEnvironment;
use smcp_launch::launch;
use smcp_launch::status::Ended;
use smcp_model::deadline::Deadline;
use smcp_model::exit::ExitKind;
use smcp_model::manifest::Entrypoint;
use smcp_model::manifest::Manifest;
use smcp_model::manifest::Transport;

#[test]
fn the_exit_code_is_the_servers() {
    let cases = [
        ("exit 0", Ended::Exited(0), 0),
        ("exit 1", Ended::Exited(1), 1),
        ("exit 4", Ended::Exited(4), 1),
        ("exit 7", Ended::Exited(7), 7),
        ("exit 255", Ended::Exited(255), 255),
        ("kill -TERM $$", Ended::Signalled(15), 143),
        ("kill -KILL $$", Ended::Signalled(9), 137),
        #[cfg(target_os = "linux")]
        ("kill -40 $$", Ended::Signalled(40), 168),
    ];
    let bed = Bed::new();
    for (script, expected, code) in cases {
        let ended = bed.run(sh(script)).0.unwrap();
        assert_eq!((ended, ended.exit_code()), (expected, code), "{script}");
        assert_eq!(ended.message().is_some(), script == "exit 4", "{script}");
    }
}

#[test]
fn arguments_arrive_as_they_are() {
    let (ended, output) = Bed::new().run_with(entrypoint("printf", &["%s|", "a b", "*"]), null(), |mut setup| {
        setup.extra_args = ["$HOME", "--", ""].map(Into::into).into();
        setup
    });
    assert_eq!((ended.unwrap(), output.as_str()), (Ended::Exited(0), "a b|*|$HOME|--||"));
}

#[test]
fn the_environment_is_what_was_computed_and_nothing_else() {
    let entrypoint = entrypoint("env", &[]);
    let parent = [("PATH".into(), std::env::var_os("PATH").unwrap()), ("SECRET".into(), "x".into())];
    let given = ["A=1".parse().unwrap(), "B=two words".parse().unwrap()];
    let environment = ServerEnvironment::compute(&parent, &manifest(entrypoint.clone()), &[], &given);
    let (ended, output) = Bed::new().run_with(entrypoint, null(), |setup| smcp_launch::Setup { environment, ..setup });
    assert_eq!(ended.unwrap(), Ended::Exited(0));
    let mut lines: Vec<_> = output.lines().collect();
    lines.sort_unstable();
    assert_eq!(lines, ["A=1", "B=two words", &format!("PATH={}", std::env::var("PATH").unwrap())]);
}

#[test]
fn a_file_of_the_bundle_starts_in_the_bundle() {
    let bed = Bed::new();
    bed.executable("server", b"#!/bin/sh\npwd -P\n");
    std::fs::create_dir(bed.root().join("data")).unwrap();
    let root = bed.root().canonicalize().unwrap();
    for (workdir, expected) in [(None, root.clone()), (Some("data"), root.join("data"))] {
        let entrypoint = Entrypoint { workdir: workdir.map(str::to_owned), ..entrypoint("./server", &[]) };
        let (ended, output) = bed.run(entrypoint);
        assert_eq!((ended.unwrap(), output.trim()), (Ended::Exited(0), expected.to_str().unwrap()));
    }
}

#[test]
#[cfg(target_os = "linux")]
fn what_starts_is_what_was_opened_wherever_its_path_leads_by_then() {
    let (bed, evil) = (Bed::new(), Bed::new());
    for (bed, word) in [(&bed, "honest"), (&evil, "evil")] {
        bed.executable("server", format!("#!/bin/sh\necho {word}; cat file\n").as_bytes());
        for folder in ["", "data"] {
            std::fs::create_dir_all(bed.root().join(folder)).unwrap();
            std::fs::write(bed.root().join(folder).join("file"), format!("{word}\n")).unwrap();
        }
    }
    for workdir in [None, Some("data".to_owned())] {
        for entrypoint in [entrypoint("./server", &[]), sh("cat file")] {
            let expected = if entrypoint.command == "./server" { "honest\nhonest\n" } else { "honest\n" };
            let entrypoint = Entrypoint { workdir: workdir.clone(), ..entrypoint };
            // Another user has renamed the folder since it was opened, and put another one in its place.
            let swapped = |setup| smcp_launch::Setup { root: evil.root().to_owned(), ..setup };
            let (ended, output) = bed.run_with(entrypoint, null(), swapped);
            assert_eq!((ended.unwrap(), output.as_str()), (Ended::Exited(0), expected), "{workdir:?}");
        }
    }
}

#[test]
fn what_can_not_be_started_says_so() {
    use ExitKind::Integrity;
    use ExitKind::Start;
    let bed = Bed::new();
    let foreign = if cfg!(target_arch = "aarch64") { 62 } else { 183 };
    let files: [(&str, &[u8]); 7] = [
        ("no-interpreter", b"#!/missing/interpreter -x\n"),
        ("windows-lines", b"#!/bin/sh\r\necho hello\r\n"),
        ("no-line", b"echo hello\n"),
        ("empty", b""),
        ("exe", b"MZ\x90\0"),
        ("damaged", b"\x7fELF and nothing else"),
        ("foreign", &[&b"\x7fELF\x02\x01\x01"[..], &[0; 9], &[2, 0, foreign, 0], &[0; 44]].concat()),
    ];
    for (name, text) in files {
        bed.executable(name, text);
    }
    std::fs::write(bed.root().join("data"), "#!/bin/sh\n").unwrap();
    std::os::unix::fs::symlink("/bin/sh", bed.root().join("link")).unwrap();
    let nul = "x\0";
    let long = "x".repeat(200_000);
    let at = |command| entrypoint(command, &[]);
    let cases = [
        (at("no-such-command-anywhere"), Start, "command-not-on-path", "was not found on PATH\n  install it, or"),
        (at("./missing"), Start, "command-not-in-bundle", "not in the bundle"),
        (at("./data"), Start, "command-not-executable", "not an executable file"),
        (at("./no-interpreter"), Start, "interpreter-missing", "the interpreter `/missing/interpreter`, which is not"),
        (at("./windows-lines"), Start, "interpreter-missing", r"the interpreter `/bin/sh\r`, which is not there"),
        (at("./windows-lines"), Start, "interpreter-missing", "the first line ends in CR, as files of Windows do"),
        (at("./no-line"), Start, "not-a-program", "it is no program of this machine and has no `#!` line"),
        (at("./empty"), Start, "not-a-program", "it is empty"),
        (at("./exe"), Start, "not-a-program", "it is a program of Windows"),
        (at("./damaged"), Start, "not-a-program", "could not be started: it is a program for"),
        (at("./foreign"), Start, "not-a-program", "and this machine is"),
        (entrypoint("sh", &["-c", &long]), Start, "arguments-too-long", "argument 2 has 200000 bytes, and the system"),
        (entrypoint("sh", &[nul]), Start, "launch-failed", "could not be started"),
        (at("/bin/sh"), Integrity, "command-escapes", "`/bin/sh` leads out of the bundle"),
        (at("../x"), Integrity, "command-escapes", "leads out of the bundle"),
        (at("./link"), Integrity, "command-escapes", "leads out of the bundle"),
        (Entrypoint { workdir: Some("..".into()), ..sh("exit 0") }, Integrity, "workdir-escapes", "`..` leads out"),
        (Entrypoint { workdir: Some("x".into()), ..sh("exit 0") }, Start, "workdir-missing", "not a directory of the"),
    ];
    for (entrypoint, failure, code, message) in cases {
        let typed = entrypoint.command.clone();
        let error = bed.run(entrypoint).0.unwrap_err();
        assert_eq!((error.exit_kind(), error.code()), (failure, code), "{typed}: {error}");
        assert!(error.to_string().contains(message), "{typed}: {error}");
        assert!(!error.was_started(), "{typed}");
    }
}

#[test]
fn a_package_that_is_no_stdio_server_is_not_started() {
    let bed = Bed::new();
    let manifest = Manifest { transport: Transport::Http, ..manifest(sh("touch started")) };
    let error = launch(clearance_of(manifest), bed.setup(null(), null(), PATIENT)).unwrap_err();
    assert_eq!(error.exit_kind(), ExitKind::Start);
    assert!(!bed.root().join("started").exists());
}

#[test]
fn nothing_starts_after_the_deadline() {
    let bed = Bed::new();
    let mut setup = bed.setup(null(), null(), PATIENT);
    setup.deadline = Deadline::after(Duration::ZERO);
    let error = launch(clearance(sh("touch started")), setup).unwrap_err();
    assert_eq!(error.exit_kind(), ExitKind::Timeout);
    assert!(!bed.root().join("started").exists());
}

#[test]
fn an_ended_server_leaves_no_zombie() {
    let (ended, output) = Bed::new().run(sh("echo $$"));
    assert_eq!(ended.unwrap(), Ended::Exited(0));
    let pid = Pid::from_raw(output.trim().parse().unwrap());
    assert_eq!(kill(pid, None), Err(Errno::ESRCH));
}

#[test]
fn a_server_reads_a_file_to_its_end() {
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(b"one\ntwo\n").unwrap();
    file.rewind().unwrap();
    let (ended, output) = Bed::new().run_with(sh("cat; cat; echo done"), file, |setup| setup);
    assert_eq!((ended.unwrap(), output.as_str()), (Ended::Exited(0), "one\ntwo\ndone\n"));
}
