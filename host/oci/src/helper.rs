//! Credential helpers: programs that know the log-in for a host.
//!
//! The name of one comes from docker's file. It is looked up in the absolute folders of `PATH`, started without a shell
//! with the one argument `get`, told the host on standard input, and ended when its time is over.

use std::ffi::OsStr;
use std::io;
use std::io::Read as _;
use std::io::Write as _;
use std::process::Child;
use std::process::Command;
use std::process::ExitStatus;
use std::process::Stdio;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use serde::Deserialize;

use crate::error::LogInProblem;
use smcp_model::deadline::Deadline;
use smcp_model::limits;
use smcp_model::log_in::LogIn;
use smcp_model::number;
use smcp_model::secret::Secret;

/// The start of a helper's name.
const PREFIX: &str = "docker-credential-";
/// What a helper prints that has nothing for a host.
const NOT_FOUND: &str = "credentials not found in native keychain";
/// The name in place of a user's when the secret is a token for a token service.
const TOKEN: &str = "<token>";

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct HelperAnswer {
    username: String,
    secret: String,
}

/// Asks the helper NAME for the log-in of `server`; `None` when it has none.
///
/// # Errors
/// When it is not on `path`, fails, takes longer than `patience`, or answers something else.
pub fn ask(name: &str, server: &str, path: &OsStr, patience: Duration) -> Result<Option<LogIn>, LogInProblem> {
    let program = format!("{PREFIX}{name}");
    let problem = |what: &str| {
        LogInProblem::new(
            &format!("the credential helper {program} {what}"),
            &format!("run `echo {server} | {program} get` to see what it says, or log in with smcp login"),
        )
    };
    let child = start(&program, path).map_err(|error| problem(&format!("can't be started: {error}")))?;
    let Some(child) = child else { return Err(problem("is not in any absolute folder of PATH")) };
    let (succeeded, answer) = answer_of(child, server, patience).map_err(|error| problem(&error.to_string()))?;
    if !succeeded {
        // What it prints may be a secret of somebody, so it is never shown.
        let has_none = String::from_utf8_lossy(&answer).contains(NOT_FOUND);
        return if has_none { Ok(None) } else { Err(problem("failed")) };
    }
    let answer: HelperAnswer = serde_json::from_slice(&answer).map_err(|_| problem("answers something else"))?;
    let secret = Secret::new(&answer.secret).map_err(|_| problem("has a secret that fits into no header"))?;
    Ok(Some(match answer.username.as_str() {
        TOKEN => LogIn::Refresh(secret),
        user => LogIn::Password { user: user.to_owned(), password: secret },
    }))
}

/// Starts the first program of this name in the absolute folders of `path`.
#[expect(clippy::disallowed_methods, reason = "a program that the user has named, and nothing of a package")]
fn start(program: &str, path: &OsStr) -> io::Result<Option<Child>> {
    for folder in std::env::split_paths(path).filter(|folder| folder.is_absolute()) {
        let mut command = Command::new(folder.join(program));
        command.arg("get").stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        match command.spawn() {
            Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {}
            started => return started.map(Some),
        }
    }
    Ok(None)
}

/// Tells the child the host, and returns whether it succeeded, and what it printed.
fn answer_of(mut child: Child, server: &str, patience: Duration) -> io::Result<(bool, Vec<u8>)> {
    let (sender, receiver) = mpsc::sync_channel(1);
    let (stdin, stdout) = (child.stdin.take(), child.stdout.take());
    let question = format!("{server}\n");
    thread::spawn(move || {
        let mut answer = Vec::new();
        // A helper that needs no question may have closed its end.
        let _ = stdin.map(|mut stdin| stdin.write_all(question.as_bytes()));
        let limit = number::wide(limits::oci::HELPER_ANSWER);
        let read = stdout.map(|stdout| stdout.take(limit).read_to_end(&mut answer));
        // The receiver may have given up.
        let _ = sender.send(read.transpose().map(|_| answer));
    });
    let deadline = Deadline::after(patience);
    let late = |what| io::Error::new(io::ErrorKind::TimedOut, format!("did not {what} within {patience:?}"));
    let answer = receiver.recv_timeout(patience).map_err(|_| late("answer"));
    let ended = answer.is_ok().then(|| ended(&mut child, &deadline)).transpose()?.flatten();
    if ended.is_none() {
        child.kill()?;
        // It would be left behind as long as smcp runs.
        child.wait()?;
    }
    let answer = answer??;
    Ok((ended.ok_or_else(|| late("end"))?.success(), answer))
}

/// Waits for a child that has closed its output, which most do by ending; `None` when its time is over first.
fn ended(child: &mut Child, deadline: &Deadline) -> io::Result<Option<ExitStatus>> {
    let mut pause = Duration::from_millis(1);
    loop {
        let status = child.try_wait()?;
        if status.is_some() || deadline.check().is_err() {
            return Ok(status);
        }
        thread::sleep(deadline.remaining().map_or(pause, |left| pause.min(left)));
        pause = pause.saturating_mul(2).min(limits::oci::HELPER_PAUSE);
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    /// A folder with a helper `docker-credential-test` that runs this script.
    #[expect(clippy::disallowed_methods, reason = "a test writes its own programs")]
    fn folder(script: &str) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("docker-credential-test");
        std::fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
        folder
    }

    // One test: a program that was just written can't be started while another thread forks.
    #[test]
    fn helpers_are_asked_and_ended() {
        a_helper_is_asked_by_the_docker_protocol();
        a_helper_that_hangs_is_ended_and_one_that_is_nowhere_is_named();
    }

    fn a_helper_is_asked_by_the_docker_protocol() {
        let patience = Duration::from_secs(60);
        let secret = |text: &str| Secret::new(text).unwrap();
        let cases = [
            (
                r#"read host; test "$1 $# $host" = "get 1 r.example" && echo '{"ServerURL":"x","Username":"me","Secret":"hunter2"}'"#,
                Ok(Some(LogIn::Password { user: "me".to_owned(), password: secret("hunter2") })),
            ),
            (r#"echo '{"Username":"<token>","Secret":"refresh"}'"#, Ok(Some(LogIn::Refresh(secret("refresh"))))),
            ("echo 'credentials not found in native keychain'; exit 1", Ok(None)),
            ("echo hunter2; exit 1", Err("failed")),
            ("echo hunter2", Err("answers something else")),
            (r#"echo '{"Username":"me","Secret":"two words"}'"#, Err("fits into no header")),
        ];
        for (script, expected) in cases {
            let folder = folder(script);
            let asked = ask("test", "r.example", folder.path().as_os_str(), patience);
            match (asked, expected) {
                (Ok(found), Ok(expected)) => assert_eq!(found, expected, "{script}"),
                (Err(problem), Err(says)) => {
                    let message = problem.to_string();
                    assert!(message.contains(says) && !message.contains("hunter2"), "{script}: {message}");
                }
                (asked, _) => panic!("{script}: {asked:?}"),
            }
        }
    }

    fn a_helper_that_hangs_is_ended_and_one_that_is_nowhere_is_named() {
        let folder = folder("exec sleep 600");
        let late = ask("test", "r.example", folder.path().as_os_str(), Duration::from_millis(50)).unwrap_err();
        assert!(late.to_string().contains("did not answer within 50ms"), "{late}");
        // One that says all and stays is ended, too, and what it has said counts for nothing.
        let folder = self::folder(r#"echo '{"Username":"me","Secret":"s"}'; exec sleep 600 >&-"#);
        let stays = ask("test", "r.example", folder.path().as_os_str(), Duration::from_millis(500)).unwrap_err();
        assert!(stays.to_string().contains("did not end within 500ms"), "{stays}");
        let nowhere = ask("test", "r.example", OsStr::new(".:relative:/nonexistent"), Duration::from_secs(60));
        assert!(nowhere.unwrap_err().to_string().contains("is not in any absolute folder of PATH"));
    }
}
