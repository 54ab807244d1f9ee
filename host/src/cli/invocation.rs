//! What one run of smcp was given: arguments, environment, streams.
//!
//! It is read once, in `main`. A test passes other values, and needs no process of its own.

use std::cell::RefCell;
use std::ffi::OsString;
use std::fmt;
use std::io;
use std::io::IsTerminal as _;
use std::io::Write;
use std::path::PathBuf;

use crate::cli::global::ColorArgument;
use smcp_authority as authority;
use smcp_config::discover;
use smcp_pipeline as pipeline;
use smcp_pipeline::Compilation;
use smcp_pipeline::System;
use smcp_report::prompt::Terminals;
use smcp_report::style;
use smcp_report::style::Style;

/// Everything that a command gets from outside, except what it opens.
#[derive(Debug)]
pub struct Invocation {
    /// The command line, the program's name first.
    pub arguments: Vec<OsString>,
    /// The environment, the clock, standard input, and the user who runs smcp.
    pub system: System,
    /// The folder that relative paths start at; empty when it can't be found.
    pub working_directory: PathBuf,
    /// The folder with an administrator's rules. No option, variable or file changes it; only tests do.
    pub system_folder: PathBuf,
    /// Standard output and standard error.
    pub streams: OutputStreams,
}

impl Invocation {
    /// Returns the invocation of this process, which must have one thread.
    pub fn current() -> Self {
        Self {
            arguments: authority::arguments().collect(),
            system: System {
                environment: authority::environment(),
                clock: authority::clock,
                caller: authority::caller(),
                stdin: authority::stdin,
                is_program: authority::is_program,
                read_head: authority::program_head,
                compilation: Compilation::InChild {
                    program: authority::own_program,
                    memory: authority::available_memory,
                    #[cfg(target_os = "linux")]
                    server: pipeline::fork_server(authority::own_program),
                },
                lasting: false,
                offline: false,
            },
            working_directory: authority::current_dir().unwrap_or_default(),
            system_folder: PathBuf::from(discover::SYSTEM_FOLDER),
            streams: OutputStreams::of_the_process(),
        }
    }

    /// Returns the style for a stream; `terminal` is `None` when it is not a terminal.
    pub(super) fn style(&self, choice: ColorArgument, terminal: Option<TerminalWidth>) -> Style {
        let choice = match choice {
            ColorArgument::Auto => style::ColorChoice::Auto,
            ColorArgument::Always => style::ColorChoice::Always,
            ColorArgument::Never => style::ColorChoice::Never,
        };
        let columns = terminal.and_then(|TerminalWidth(columns)| columns);
        let no_color = self.system.variable("NO_COLOR").is_some() || self.is_dumb();
        Style::for_stream(choice, terminal.is_some(), columns, no_color)
    }

    /// Whether `TERM` says that the terminal can only show text, as in editors' shells and on serial lines.
    pub(super) fn is_dumb(&self) -> bool {
        self.system.variable("TERM").is_some_and(|terminal| terminal == "dumb")
    }
}

/// Standard output and standard error, and which standard streams are terminals.
pub struct OutputStreams {
    out: RefCell<Box<dyn Write>>,
    err: RefCell<Box<dyn Write>>,
    /// Whether standard input is a terminal.
    pub(super) stdin_is_terminal: bool,
    /// The width of the terminal that standard output is; `None` when it is not a terminal.
    pub(super) out_terminal: Option<TerminalWidth>,
    /// The same of standard error.
    pub(super) err_terminal: Option<TerminalWidth>,
}

/// The width of a terminal in columns, when it is known.
#[derive(Debug, Clone, Copy)]
pub struct TerminalWidth(pub Option<usize>);

impl OutputStreams {
    /// Makes streams that are not terminals.
    pub fn piped(out: impl Write + 'static, err: impl Write + 'static) -> Self {
        Self {
            out: RefCell::new(Box::new(out)),
            err: RefCell::new(Box::new(err)),
            stdin_is_terminal: false,
            out_terminal: None,
            err_terminal: None,
        }
    }

    fn of_the_process() -> Self {
        let columns =
            |terminal: &console::Term| TerminalWidth(terminal.size_checked().map(|(_, columns)| columns.into()));
        Self {
            stdin_is_terminal: io::stdin().is_terminal(),
            out_terminal: io::stdout().is_terminal().then(|| columns(&console::Term::stdout())),
            err_terminal: io::stderr().is_terminal().then(|| columns(&console::Term::stderr())),
            ..Self::piped(io::stdout(), io::stderr())
        }
    }

    /// Which streams are terminals.
    pub(super) const fn terminals(&self) -> Terminals {
        Terminals { stdin: self.stdin_is_terminal, stderr: self.err_terminal.is_some() }
    }

    /// Standard output.
    pub(super) const fn out(&self) -> Stream<'_> {
        Stream(&self.out)
    }

    /// Standard error.
    pub(super) const fn err(&self) -> Stream<'_> {
        Stream(&self.err)
    }
}

/// One of the streams. It is borrowed for each write only, so that several writers can use it in turn.
#[derive(Clone, Copy)]
pub(super) struct Stream<'a>(&'a RefCell<Box<dyn Write>>);

impl Write for Stream<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.borrow_mut().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.borrow_mut().flush()
    }
}

impl fmt::Debug for Stream<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Stream").finish_non_exhaustive()
    }
}

impl fmt::Debug for OutputStreams {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { out: _, err: _, stdin_is_terminal, out_terminal, err_terminal } = self;
        f.debug_struct("OutputStreams")
            .field("stdin_is_terminal", stdin_is_terminal)
            .field("out_terminal", out_terminal)
            .field("err_terminal", err_terminal)
            .finish_non_exhaustive()
    }
}
