//! Inputs that are read once: environment files, facts, components, pipes.

use std::fs;
use std::io::Write as _;
use std::os::fd::AsRawFd as _;

use nix::fcntl::FcntlArg;
use nix::fcntl::FdFlag;
use nix::fcntl::fcntl;
use serde_json::Value;

use crate::bed::Package;
use crate::bed::ROOT;
use crate::bed::TestBed;

/// A bed with a package that prints its variables, except for those that every server gets.
fn bed() -> TestBed {
    let bed = TestBed::new();
    bed.configure("");
    bed.publish(
        &Package::shell(
            "acme/tool@1.0.0",
            "env | grep -v '^XDG_\\|^TMPDIR=\\|^PATH=\\|^HOME=\\|^PWD=\\|^_=\\|^SHLVL=' | sort",
        )
        .good(),
    );
    bed
}

/// Makes a pipe as shells do for `<(…)`. Returns its name for the program, and the end to write to.
struct Substitution {
    reader: std::io::PipeReader,
    writer: std::io::PipeWriter,
}

impl Substitution {
    fn new() -> Self {
        let (reader, writer) = std::io::pipe().unwrap();
        // The program inherits it.
        fcntl(&reader, FcntlArg::F_SETFD(FdFlag::empty())).unwrap();
        Self { reader, writer }
    }

    fn path(&self) -> String {
        format!("/dev/fd/{}", self.reader.as_raw_fd())
    }
}

#[test]
fn an_environment_file_is_read_as_dotenv_has_it() {
    let bed = bed();
    bed.write(
        "server.env",
        "\u{feff}# secrets\r\nexport API_KEY=\"s3 c\\tret\"\r\n\r\nREGION='eu # 1' # ours\r\nMODE=a b\r\n",
    );
    bed.run("run --env-file server.env acme/tool@1.0.0")
        .succeeds()
        .prints("API_KEY=s3 c\tret\nMODE=a b\nREGION=eu # 1\n");
    bed.write("lines.env", "CERTIFICATE=\"-----BEGIN\nMIIB\n-----END\"\n");
    let ran = bed.run("run --env-file lines.env acme/tool@1.0.0").succeeds();
    assert_eq!(ran.stdout.lines().filter(|line| line.contains("---")).count(), 2, "{ran}");
    bed.write("wrong.env", "A=1\nB=$HOME/x\nhunter2\nC=\"hunter2\n");
    let ran = bed.run("run --env-file wrong.env acme/tool@1.0.0");
    assert!(!ran.stderr.contains("hunter2"), "{ran}");
    insta::assert_snapshot!("env_file_wrong", ran.exits(1));
    bed.write("wide.env", b"\xff\xfeA\0=\x001\0");
    bed.run("run --env-file wide.env acme/tool@1.0.0")
        .refuses(1, &["while reading wide.env: it is UTF-16", "save it as UTF-8"]);
}

#[test]
fn secrets_need_not_be_on_a_disk() {
    let bed = bed();
    let mut pipe = Substitution::new();
    pipe.writer.write_all(b"API_KEY=s3cret\n").unwrap();
    let (path, line) = (pipe.path(), "run acme/tool@1.0.0 --env-file");
    let Substitution { reader: _reader, writer } = pipe;
    drop(writer);
    bed.smcp(line).args(&[&path]).run().succeeds().prints("API_KEY=s3cret\n");
    bed.smcp(line).args(&["/dev/stdin"]).input("API_KEY=s3cret\n").run().succeeds().prints("API_KEY=s3cret\n");
    // A password manager offers such a pipe: it waits until a program reads.
    let fifo = bed.path("named");
    nix::unistd::mkfifo(&fifo, nix::sys::stat::Mode::S_IRWXU).unwrap();
    std::thread::scope(|scope| {
        scope.spawn(|| fs::write(&fifo, "API_KEY=s3cret\n").unwrap());
        bed.run("run acme/tool@1.0.0 --env-file named").succeeds().prints("API_KEY=s3cret\n");
    });
}

#[test]
fn facts_and_components_come_from_pipes_too() {
    let bed = bed();
    for facts in ["-", "/dev/stdin"] {
        let ran =
            bed.smcp("--json policy eval --facts").args(&[facts]).input("\u{feff}{\"score\": 95}").run().succeeds();
        assert_eq!(ran.document()["facts"]["score"], 95);
    }
    let component = fs::read(format!("{ROOT}/examples/policies/dist/no_network.wasm")).unwrap();
    for file in ["-", "/dev/stdin"] {
        let ran = bed.smcp("--json policy inspect").args(&[file]).input(component.clone()).run().succeeds();
        assert_eq!(ran.document()["name"], "no-network");
    }
}

#[test]
fn nobody_is_waited_for_for_ever() {
    let bed = bed();
    nix::unistd::mkfifo(&bed.path("silent"), nix::sys::stat::Mode::S_IRWXU).unwrap();
    let line = "run --timeout 50ms --env-file silent acme/tool@1.0.0";
    bed.run(line).refuses(5, &["while reading silent: nobody has written all of it within 50ms"]);
    bed.configure("start_timeout: 1s");
    bed.run("policy eval --facts silent").refuses(5, &["while reading silent: nobody has written all of it within 1s"]);
    bed.run("run --env-file /dev/zero acme/tool@1.0.0").refuses(1, &["/dev/zero: it has more than [SIZE] bytes"]);
    bed.run("policy eval --facts /dev/zero").refuses(1, &["/dev/zero: it has more than [SIZE] bytes"]);
    // Rules must be in a regular file.
    bed.run("--config silent policy list")
        .refuses(1, &["silent: the configuration can't be read: it is not a regular file"]);
}

#[test]
fn what_the_system_has_no_room_for_is_named_before_the_start() {
    let bed = bed();
    bed.write("large.env", format!("SMALL=1\nLARGE={}\n", "x".repeat(200_000)));
    let ran = bed.run("run --env-file large.env acme/tool@1.0.0");
    if cfg!(target_os = "linux") {
        let ran = ran.refuses(
            1,
            &["the variable LARGE is [SIZE] bytes long with its name", "give the server the path of a file"],
        );
        assert!(!ran.stderr.contains("xxx"), "{ran}");
        // A dry run reports the same.
        bed.run("run --dry-run --env-file large.env acme/tool@1.0.0").refuses(1, &["the variable LARGE"]);
    }
    let text: String = (0..10).map(|number| format!("PART_{number}={}\n", "x".repeat(100_000))).collect();
    bed.write("many.env", text);
    bed.run("run --env-file many.env acme/tool@1.0.0").succeeds();
}

#[test]
fn facts_that_nobody_can_have_meant_are_errors_with_their_places() {
    let bed = bed();
    bed.write("facts.json", r#"{"cert-level": 2, "score": "80", "origin": 5, "findings": {"critical": 0}}"#);
    insta::assert_snapshot!("facts_wrong", bed.run("policy eval --facts facts.json").exits(1));
    let document = bed.run("--json policy eval --facts facts.json").exits(1).document();
    let places: Vec<_> = document["problems"].as_array().unwrap().iter().map(|problem| &problem["path"]).collect();
    assert_eq!(places, ["/cert-level", "/score", "/origin", "/findings"].map(Value::from).iter().collect::<Vec<_>>());
    for (text, says) in [("score: 80\n", "must be JSON, such as {\"score\": 80}"), ("", "is empty; it must be JSON")] {
        bed.smcp("policy eval --facts -").input(text).run().refuses(1, &[says]);
    }
}
