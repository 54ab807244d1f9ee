//! What is started, with what, and what is not.

use std::io::{Seek as _, Write as _};
use std::time::Duration;

use nix::errno::Errno;
use nix::sys::signal::kill;
use nix::unistd::Pid;
use smcp::launch::environment::ServerEnvironment;
use smcp::launch::error::Failure;
use smcp::launch::launch;
use smcp::launch::status::Ended;
use smcp::model::deadline::Deadline;
use smcp::model::manifest::{Entrypoint, Manifest, Transport};

use crate::bed::{Bed, PATIENT, clearance, clearance_of, entrypoint, manifest, null, sh};

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
    let (ended, output) = Bed::new().run_with(entrypoint, null(), |setup| smcp::launch::Setup { environment, ..setup });
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
            // Somebody has renamed the folder since it was opened, and put his own in its place.
            let swapped = |setup| smcp::launch::Setup { root: evil.root().to_owned(), ..setup };
            let (ended, output) = bed.run_with(entrypoint, null(), swapped);
            assert_eq!((ended.unwrap(), output.as_str()), (Ended::Exited(0), expected), "{workdir:?}");
        }
    }
}

#[test]
fn what_can_not_be_started_says_so() {
    let bed = Bed::new();
    bed.executable("no-interpreter", b"#!/missing/interpreter\n");
    bed.executable("no-program", b"\x7fELF and nothing else");
    std::fs::write(bed.root().join("data"), "#!/bin/sh\n").unwrap();
    std::os::unix::fs::symlink("/bin/sh", bed.root().join("link")).unwrap();
    let nul = |word: &str| format!("{word}\0");
    let cases = [
        (entrypoint("no-such-command-anywhere", &[]), Failure::Start, "not found in any absolute directory of PATH"),
        (entrypoint("./missing", &[]), Failure::Start, "not in the bundle"),
        (entrypoint("./data", &[]), Failure::Start, "not an executable file"),
        (entrypoint("./no-interpreter", &[]), Failure::Start, "the interpreter that its first line names"),
        (entrypoint("./no-program", &[]), Failure::Start, "could not be started"),
        (entrypoint("sh", &[&nul("x")]), Failure::Start, "could not be started"),
        (entrypoint("/bin/sh", &[]), Failure::Integrity, "`/bin/sh` leads out of the bundle"),
        (entrypoint("../x", &[]), Failure::Integrity, "leads out of the bundle"),
        (entrypoint("./link", &[]), Failure::Integrity, "leads out of the bundle"),
        (Entrypoint { workdir: Some("..".into()), ..sh("exit 0") }, Failure::Integrity, "workdir `..` leads out"),
        (Entrypoint { workdir: Some("x".into()), ..sh("exit 0") }, Failure::Start, "not a directory of the bundle"),
    ];
    for (entrypoint, failure, message) in cases {
        let typed = entrypoint.command.clone();
        let error = bed.run(entrypoint).0.unwrap_err();
        assert_eq!(error.failure(), failure, "{typed}: {error}");
        assert!(error.to_string().contains(message), "{typed}: {error}");
    }
}

#[test]
fn a_package_that_is_no_stdio_server_is_not_started() {
    let bed = Bed::new();
    let manifest = Manifest { transport: Transport::Http, ..manifest(sh("touch started")) };
    let error = launch(clearance_of(manifest), bed.setup(null(), null(), PATIENT)).unwrap_err();
    assert_eq!(error.failure(), Failure::Start);
    assert!(!bed.root().join("started").exists());
}

#[test]
fn nothing_starts_after_the_deadline() {
    let bed = Bed::new();
    let mut setup = bed.setup(null(), null(), PATIENT);
    setup.deadline = Deadline::after(Duration::ZERO);
    let error = launch(clearance(sh("touch started")), setup).unwrap_err();
    assert_eq!(error.failure(), Failure::Timeout);
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
