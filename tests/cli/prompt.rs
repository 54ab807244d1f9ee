//! The question on a pseudo-terminal: when it is asked, which answers count.

use std::io::Read as _;
use std::process::Stdio;

use crate::bed::Package;
use crate::bed::TestBed;
use crate::terminal::Terminal;

const QUESTION: &str = "Continue? [y/N] ";

/// A bed with a package whose score asks for consent. Its server repeats the first line that it reads.
fn bed() -> TestBed {
    let bed = TestBed::new();
    bed.configure("policy: {min_score: 80, score_mode: warn}");
    let script = "touch \"$HOME/proof/started\"; read -r line; echo \"server: got $line\"";
    bed.publish(&Package::shell("acme/tool@1.0.0", script).facts("verified", 2, 60));
    bed
}

/// The result of a session on a terminal.
struct Session {
    code: Option<i32>,
    screen: String,
    stdout: String,
}

/// Runs `smcp` on a terminal where the person types `keys` at the question; standard output is a pipe.
fn answers(bed: &TestBed, line: &str, keys: &str) -> Session {
    let mut terminal = Terminal::new();
    let mut command = terminal.controls(&bed.smcp(line).command);
    command.stdin(terminal.stream()).stderr(terminal.stream()).stdout(Stdio::piped());
    let mut child = command.spawn().unwrap();
    // It holds copies of the terminal, which would keep the terminal open.
    drop(command);
    terminal.shows(QUESTION);
    terminal.types(keys);
    let mut stdout = String::new();
    child.stdout.take().unwrap().read_to_string(&mut stdout).unwrap();
    let code = child.wait().unwrap().code();
    Session { code, screen: bed.redact(&terminal.end()), stdout }
}

#[test]
fn a_yes_starts_the_server_which_reads_what_is_typed_next() {
    for yes in ["y\n", "Y\n", "yes\n", "  YES \n"] {
        let bed = bed();
        let session = answers(&bed, "--color never run acme/tool@1.0.0", &format!("{yes}hello\n"));
        assert_eq!((session.code, session.stdout.as_str()), (Some(0), "server: got hello\n"), "{}", session.screen);
        assert!(bed.has("proof/started"));
    }
}

#[test]
fn everything_else_refuses() {
    // Ctrl-D is the end of input.
    for no in ["n\n", "\n", "\u{4}", "no\n", "yy\n", "yes please\n", "да\n", "\u{1b}[A\n"] {
        let bed = bed();
        let session = answers(&bed, "--color never run acme/tool@1.0.0", no);
        assert_eq!((session.code, session.stdout.as_str()), (Some(4), ""), "{no:?}: {}", session.screen);
        assert_eq!(
            session.screen.matches("not started: the answer was not yes").count(),
            1,
            "{no:?}: {}",
            session.screen
        );
        assert!(!bed.has("proof/started"), "{no:?}");
    }
}

#[test]
fn the_question_reads_well() {
    let session = answers(&bed(), "--color never run acme/tool@1.0.0", "n\n");
    insta::assert_snapshot!("declined", session.screen);
}

#[test]
fn an_interrupted_question_starts_nothing() {
    let bed = bed();
    let session = answers(&bed, "run acme/tool@1.0.0", "\u{3}");
    assert_ne!(session.code, Some(0), "{}", session.screen);
    assert!(session.stdout.is_empty() && !bed.has("proof/started"));
}

#[test]
fn who_is_not_at_both_ends_is_not_asked() {
    let mut terminal = Terminal::new();
    for (stdin_is_terminal, stderr_is_terminal) in [(true, false), (false, true), (false, false)] {
        let bed = bed();
        // The terminal still controls the session: it may be the client's.
        let mut command = terminal.controls(&bed.smcp("run acme/tool@1.0.0").command);
        let stream = |is_terminal: bool| if is_terminal { terminal.stream() } else { Stdio::piped() };
        command.stdin(stream(stdin_is_terminal)).stderr(stream(stderr_is_terminal)).stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        drop(child.stdin.take());
        let output = child.wait_with_output().unwrap();
        assert_eq!((output.status.code(), output.stdout.as_slice()), (Some(4), &b""[..]));
        drop(command);
        let said = if stderr_is_terminal {
            std::mem::replace(&mut terminal, Terminal::new()).end()
        } else {
            String::from_utf8(output.stderr).unwrap()
        };
        assert!(said.contains("pass --trust") && !said.contains(QUESTION), "{said}");
        assert!(!bed.has("proof/started"));
    }
}

#[test]
fn trust_answers_before_the_question() {
    let bed = bed();
    let mut terminal = Terminal::new();
    let mut command = terminal.controls(&bed.smcp("run --trust acme/tool@1.0.0").command);
    command.stdin(terminal.stream()).stderr(terminal.stream()).stdout(Stdio::piped());
    let mut child = command.spawn().unwrap();
    drop(command);
    terminal.types("hello\n");
    let mut stdout = String::new();
    child.stdout.take().unwrap().read_to_string(&mut stdout).unwrap();
    assert_eq!((child.wait().unwrap().code(), stdout.as_str()), (Some(0), "server: got hello\n"));
    let screen = terminal.end();
    assert!(screen.contains("--trust gives it") && !screen.contains(QUESTION), "{screen}");
}

/// Returns the output of a command on a terminal, unchanged.
fn on_terminal(bed: &TestBed, line: &str, variables: &[(&str, &str)]) -> String {
    let terminal = Terminal::new();
    let mut command = bed.smcp(line).command;
    command.envs(variables.iter().copied()).stdin(Stdio::null()).stdout(terminal.stream()).stderr(terminal.stream());
    let mut child = command.spawn().unwrap();
    drop(command);
    let screen = terminal.end();
    child.wait().unwrap();
    screen
}

#[test]
fn colours_are_for_terminals_unless_somebody_says_otherwise() {
    let bed = bed();
    for line in ["policy check acme/tool@1.0.0", "run acme/none@1.0.0", "run --nonsense"] {
        let shown =
            |option: &str, variables| on_terminal(&bed, &format!("{option} {line}"), variables).contains('\u{1b}');
        let piped = |option: &str| {
            let ran = bed.run(&format!("{option} {line}"));
            ran.stdout.contains('\u{1b}') || ran.stderr.contains('\u{1b}')
        };
        let plain = [("TERM", "xterm"), ("NO_COLOR", "1")];
        assert!(shown("", &plain[..1]) && !shown("", &plain) && !shown("--color never", &plain[..1]), "{line}");
        let dumb = [("TERM", "dumb")];
        assert!(!shown("", &dumb) && shown("--color always", &dumb), "{line}: a terminal that can only show text");
        assert!(shown("--color always", &plain), "{line}: a flag is stronger than NO_COLOR");
        assert!(!piped("") && !piped("--color never") && piped("--color always"), "{line}");
    }
}

#[test]
fn a_terminal_wraps_and_a_pipe_does_not() {
    let bed = bed();
    let screen = on_terminal(&bed, "--color never policy check acme/tool@1.0.0", &[]);
    assert!(screen.lines().all(|line| line.chars().count() <= 100), "{screen}");
}
