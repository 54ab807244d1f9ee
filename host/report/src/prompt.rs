//! Asks the user for consent, where a terminal allows it (spec section 3).
//!
//! Everything but a clear yes is a no: an empty line, the end of input, an answer that can't be read, a question that
//! can't be shown.

use std::io;
use std::io::ErrorKind;
use std::io::Read;
use std::io::Write;

use crate::Report;
use crate::human;
use crate::style::Style;
use smcp_decide::Refusal;
use smcp_model::decision::Consent;
use smcp_model::text::SafeText;

/// The question to the user.
const QUESTION: &str = "Continue? [y/N] ";

/// The longest answer that is read, bytes: more than a person types, and a bound for input from a program.
const MAX_ANSWER_BYTES: usize = 1024;

/// Which streams of smcp are terminals. A person can be asked only if both are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Terminals {
    /// Standard input, where answers come from.
    pub stdin: bool,
    /// Standard error, where questions go.
    pub stderr: bool,
}

impl Terminals {
    /// Whether a person can be asked. A controlling terminal alone is not enough: it may be the client's.
    pub const fn person(self) -> bool {
        self.stdin && self.stderr
    }

    /// Whether probably no person reads the output: the configuration of a client passes `--trust`, and input through a
    /// pipe is not typed. The warning then goes to the model (spec section 7).
    pub const fn unread(self, trust: bool) -> bool {
        trust || !self.stdin
    }
}

/// Shows a decision that needs consent, with all its reasons, and returns the consent: the one in the report
/// (`--trust`), else the answer at the terminal, else [`Consent::NobodyToAsk`]. After a refusal the reason is on the
/// screen, so the caller writes nothing more.
///
/// `input` must not read ahead (not [`std::io::Stdin`], which buffers): what follows the answer is for the server.
pub fn consent(
    report: &Report<'_>,
    terminals: Terminals,
    input: &mut dyn Read,
    out: &mut dyn Write,
    style: &Style,
) -> Consent {
    let known = report.consent.or((!terminals.person()).then_some(Consent::NobodyToAsk));
    let shown = human::decision(&Report { consent: known, ..*report }, out, style);
    match (known, shown) {
        // Consent in advance holds even if the decision can't be shown.
        (Some(consent), _) => consent,
        (None, Ok(())) => ask(input, out),
        (None, Err(_)) => Consent::Declined,
    }
}

/// Asks the question, and reads the answer up to the end of its line and no further.
fn ask(input: &mut dyn Read, out: &mut dyn Write) -> Consent {
    let asked = write!(out, "\n{QUESTION}").and_then(|()| out.flush());
    let answer = asked.and_then(|()| read_line(input));
    let yes = matches!(&answer, Ok(Some(line)) if is_yes(line));
    if yes {
        return Consent::Accepted;
    }
    let ended = matches!(answer, Ok(Some(_)));
    let separator = if ended { "" } else { "\n" };
    // It is refused already, whether or not this can be shown.
    let _ = writeln!(out, "{separator}{}", Refusal::Declined);
    Consent::Declined
}

/// Asks a question of the command's own, and reads the answer up to the end of its line and no further. Only a clear yes is
/// one; `None` when there is no answer.
pub fn question(text: &str, input: &mut dyn Read, out: &mut dyn Write) -> Option<bool> {
    let asked = write!(out, "{} [y/N] ", SafeText::new(text)).and_then(|()| out.flush());
    let line = asked.and_then(|()| read_line(input)).ok().flatten();
    if line.is_none() {
        // It is not answered, whether or not this can be shown.
        let _ = writeln!(out);
    }
    line.map(|line| is_yes(&line))
}

/// Reads one line, without its end; `None` when the input ends before it, or the line is too long.
fn read_line(input: &mut dyn Read) -> io::Result<Option<Vec<u8>>> {
    let mut line = Vec::new();
    while line.len() < MAX_ANSWER_BYTES {
        let mut byte = [0];
        match input.read(&mut byte) {
            Ok(0) => return Ok(None),
            Ok(_) if byte == *b"\n" => return Ok(Some(line)),
            Ok(_) => line.extend(byte),
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(None)
}

fn is_yes(line: &[u8]) -> bool {
    let answer = line.trim_ascii();
    answer.eq_ignore_ascii_case(b"y") || answer.eq_ignore_ascii_case(b"yes")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures;

    #[test]
    fn only_a_clear_yes_is_a_yes() {
        let long = format!("{}\n", "y".repeat(2048));
        let late = format!("{}y\n", " ".repeat(MAX_ANSWER_BYTES));
        let cases: [(&[u8], Consent); 18] = [
            (b"y\n", Consent::Accepted),
            (b"Y\n", Consent::Accepted),
            (b"yes\n", Consent::Accepted),
            (b"YES\n", Consent::Accepted),
            (b"  yEs \t\r\n", Consent::Accepted),
            (b"n\n", Consent::Declined),
            (b"no\n", Consent::Declined),
            (b"\n", Consent::Declined),
            (b"", Consent::Declined),
            (b"y", Consent::Declined),
            (b"yes please\n", Consent::Declined),
            (b"yy\n", Consent::Declined),
            (b"ye\n", Consent::Declined),
            (b"\ny\n", Consent::Declined),
            (b"y\0\n", Consent::Declined),
            (b"\xffy\n", Consent::Declined),
            (long.as_bytes(), Consent::Declined),
            (late.as_bytes(), Consent::Declined),
        ];
        for (input, expected) in cases {
            let mut out = Vec::new();
            assert_eq!(ask(&mut &*input, &mut out), expected, "{:?}", String::from_utf8_lossy(input));
            assert!(String::from_utf8(out).unwrap().starts_with("\nContinue? [y/N] "));
        }
    }

    #[test]
    fn a_question_without_an_answer_is_no_no() {
        for (input, expected) in
            [("y\n", Some(true)), ("\n", Some(false)), ("n\nrest", Some(false)), ("", None), ("y", None)]
        {
            let mut out = Vec::new();
            assert_eq!(question("a\u{1b}[2J?", &mut input.as_bytes(), &mut out), expected, "{input:?}");
            assert!(String::from_utf8(out).unwrap().starts_with("a\\u{1b}[2J? [y/N] "));
        }
    }

    #[test]
    fn what_follows_the_answer_is_left_for_the_server() {
        let mut input: &[u8] = b"y\n{\"jsonrpc\":\"2.0\"}\n";
        assert_eq!(ask(&mut input, &mut Vec::new()), Consent::Accepted);
        assert_eq!(input, b"{\"jsonrpc\":\"2.0\"}\n");
    }

    #[test]
    fn a_flood_without_a_line_ends() {
        assert_eq!(ask(&mut io::repeat(b'y'), &mut Vec::new()), Consent::Declined);
    }

    #[test]
    fn a_signal_does_not_answer() {
        /// A stream that is interrupted before every byte.
        struct Interrupted<'a>(&'a [u8], bool);
        impl Read for Interrupted<'_> {
            fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
                self.1 = !self.1;
                if self.1 { Err(ErrorKind::Interrupted.into()) } else { self.0.read(buffer) }
            }
        }
        assert_eq!(ask(&mut Interrupted(b"y\n", false), &mut Vec::new()), Consent::Accepted);
    }

    /// A stream that is closed.
    struct Closed;

    impl Read for Closed {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            Err(ErrorKind::BrokenPipe.into())
        }
    }

    impl Write for Closed {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(ErrorKind::BrokenPipe.into())
        }

        fn flush(&mut self) -> io::Result<()> {
            Err(ErrorKind::BrokenPipe.into())
        }
    }

    #[test]
    fn without_a_question_there_is_no_yes() {
        let both = Terminals { stdin: true, stderr: true };
        let case = fixtures::ask();
        let answer = consent(&case.report(), both, &mut &b"y\n"[..], &mut Closed, &Style::default());
        assert_eq!(answer, Consent::Declined);
        assert_eq!(ask(&mut Closed, &mut Vec::new()), Consent::Declined);
    }

    #[test]
    fn consent_comes_from_trust_else_a_person_else_nobody() {
        let cases = [
            (true, true, true, Consent::Trusted, "--trust gives it"),
            (true, false, false, Consent::Trusted, "--trust gives it"),
            (false, true, true, Consent::Accepted, "needs consent"),
            (false, true, false, Consent::NobodyToAsk, "pass --trust"),
            (false, false, true, Consent::NobodyToAsk, "pass --trust"),
            (false, false, false, Consent::NobodyToAsk, "pass --trust"),
        ];
        for (trust, stdin, stderr, expected, says) in cases {
            let mut out = Vec::new();
            let mut input: &[u8] = b"y\n";
            let terminals = Terminals { stdin, stderr };
            let case = fixtures::ask();
            let report = Report { consent: trust.then_some(Consent::Trusted), ..case.report() };
            let answer = consent(&report, terminals, &mut input, &mut out, &Style::default());
            let text = String::from_utf8(out).unwrap();
            assert_eq!(answer, expected, "{trust} {terminals:?}");
            assert!(text.contains(says) && text.contains("security score 60 is below"), "{text}");
            let asked = answer == Consent::Accepted;
            assert_eq!((text.contains(QUESTION), input.is_empty()), (asked, asked), "{text}");
        }
    }

    #[test]
    fn the_model_is_told_where_nobody_reads() {
        let cases = [
            (true, true, false, false),
            (true, false, false, false),
            (false, true, false, true),
            (false, false, false, true),
            (true, true, true, true),
            (false, false, true, true),
        ];
        for (stdin, stderr, trust, unread) in cases {
            assert_eq!(Terminals { stdin, stderr }.unread(trust), unread, "{stdin} {stderr} {trust}");
        }
    }

    #[test]
    fn a_question_reads_well() {
        let mut out = Vec::new();
        let both = Terminals { stdin: true, stderr: true };
        let case = fixtures::ask();
        consent(&case.report(), both, &mut &b"n\n"[..], &mut out, &Style::default());
        insta::assert_snapshot!("prompt_declined", String::from_utf8(out).unwrap());
    }
}
