//! Explains why the system did not start a file.
//!
//! `spawn` gets only an error number from the system. The first bytes of the file, and the sizes of its arguments and
//! variables, make of it a message that a person can act on.

use std::ffi::OsStr;
use std::io;
use std::path::Path;

use nix::errno::Errno;

use crate::ReadHead;
use crate::diagnose::format::ProgramFormat;
use crate::environment::ServerEnvironment;
use crate::error::LaunchError;
use smcp_model::text::SafeText;

mod format;

/// The limit of Linux for one argument or one variable, bytes, on machines with pages of 4 KiB.
const ONE_STRING: usize = 128 * 1024;

/// The sizes of the arguments and variables of a program. Contents are left out, because they may be secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Load {
    /// The largest of them: `the variable X` or `argument 3`.
    greatest: String,
    /// Its size, bytes; for a variable, name and `=` included.
    size: usize,
    /// The size of all of them, bytes.
    whole: usize,
}

impl Load {
    /// Measures arguments and variables.
    pub(crate) fn of<'a>(arguments: impl Iterator<Item = &'a OsStr>, environment: &'a ServerEnvironment) -> Self {
        let arguments = (1..).zip(arguments).map(|(place, text)| (format!("argument {place}"), text.len()));
        let variables = environment.variables().map(|(name, value)| {
            let size = name.len().saturating_add(value.len()).saturating_add(1);
            (format!("the variable `{}`", SafeText::quoted(&name.to_string_lossy())), size)
        });
        let mut load = Self { greatest: "nothing".to_owned(), size: 0, whole: 0 };
        for (what, size) in arguments.chain(variables) {
            load.whole = load.whole.saturating_add(size).saturating_add(1);
            if size > load.size {
                (load.greatest, load.size) = (what, size);
            }
        }
        load
    }

    fn explained(&self) -> SafeText {
        let Self { greatest, size, whole } = self;
        let text = if *size >= ONE_STRING {
            format!("{greatest} has {size} bytes, and the system allows {} for one", ONE_STRING - 1)
        } else {
            format!(
                "its arguments and variables have {whole} bytes, and the system allows a quarter of `ulimit -s` for all \
                 of them; the greatest is {greatest} with {size} bytes"
            )
        };
        SafeText::new(&text)
    }
}

/// Makes the error for a file that the system did not start. `typed` is the command as the manifest has it.
pub(crate) fn refused(typed: &str, program: &Path, load: &Load, read_head: ReadHead, cause: io::Error) -> LaunchError {
    let command = SafeText::quoted(typed);
    #[cfg(target_os = "linux")]
    if let Some(cause) = crate::reaper::refused_lock(&cause) {
        return LaunchError::Unconfined { command, cause };
    }
    let errno = cause.raw_os_error().map(Errno::from_raw);
    match errno {
        Some(Errno::E2BIG) => LaunchError::TooLong { command, what: load.explained() },
        // The file itself existed a moment ago, so its interpreter or loader is missing.
        Some(Errno::ENOENT) => match read_head(program).map(|bytes| ProgramFormat::of(&bytes)) {
            Some(ProgramFormat::Script { interpreter, ends_in_cr }) if !interpreter.is_empty() => {
                LaunchError::NoInterpreter { command, interpreter: escaped(&interpreter), hint: hint(ends_in_cr) }
            }
            Some(ProgramFormat::Elf { loader: Some(loader), .. }) => {
                LaunchError::NoLoader { command, loader: escaped(&loader) }
            }
            Some(
                ProgramFormat::Script { .. }
                | ProgramFormat::Elf { .. }
                | ProgramFormat::MacOs
                | ProgramFormat::Windows
                | ProgramFormat::Empty
                | ProgramFormat::Other,
            )
            | None => LaunchError::Spawn { command, cause },
        },
        Some(Errno::ENOEXEC) => match read_head(program) {
            Some(bytes) => {
                LaunchError::NoProgram { command, what: SafeText::new(&what_it_is(&ProgramFormat::of(&bytes))) }
            }
            None => LaunchError::Spawn { command, cause },
        },
        Some(_) | None => LaunchError::Spawn { command, cause },
    }
}

/// Describes a file that this machine does not start.
fn what_it_is(format: &ProgramFormat) -> String {
    match format {
        ProgramFormat::Elf { machine, .. } if *machine != format::OURS => {
            format!("it is a program for {machine}, and this machine is {}", format::OURS)
        }
        ProgramFormat::Elf { .. } => "it is a damaged program, or one for another system".to_owned(),
        ProgramFormat::MacOs => "it is a program of macOS".to_owned(),
        ProgramFormat::Windows => "it is a program of Windows".to_owned(),
        ProgramFormat::Empty => "it is empty".to_owned(),
        ProgramFormat::Script { .. } => "its `#!` line names nothing that can be started".to_owned(),
        ProgramFormat::Other => "it is no program of this machine and has no `#!` line".to_owned(),
    }
}

/// Makes carriage returns visible, since they are the usual cause.
fn escaped(path: &[u8]) -> SafeText {
    SafeText::quoted(&String::from_utf8_lossy(path).replace('\r', "\\r"))
}

const fn hint(ends_in_cr: bool) -> &'static str {
    if ends_in_cr {
        "the first line ends in CR, as files of Windows do: convert the file to LF, and publish it again"
    } else {
        "install it, or name another one in the file's first line"
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use smcp_model::manifest::Entrypoint;
    use smcp_model::manifest::Manifest;
    use smcp_model::manifest::Permissions;
    use smcp_model::manifest::Transport;

    fn environment(variables: &[(&str, usize)]) -> ServerEnvironment {
        let manifest = Manifest {
            transport: Transport::Stdio,
            entrypoint: Entrypoint::default(),
            permissions: Some(Permissions::default()),
            variables: std::collections::BTreeMap::new(),
            workdir_writable: false,
            text: String::new(),
        };
        let given: Vec<_> =
            variables.iter().map(|(name, size)| format!("{name}={}", "s".repeat(*size)).parse().unwrap()).collect();
        ServerEnvironment::compute(&[], &manifest, &[], &given)
    }

    #[test]
    fn what_is_too_long_is_named_and_not_shown() {
        let said = |arguments: &[usize], variables: &[(&str, usize)]| {
            let arguments: Vec<_> = arguments.iter().map(|size| "s".repeat(*size)).collect();
            let load = Load::of(arguments.iter().map(OsStr::new), &environment(variables));
            load.explained().as_str().to_owned()
        };
        assert_eq!(
            said(&[3], &[("SMALL", 10), ("BIG", 200_000)]),
            "the variable `BIG` has 200004 bytes, and the system allows 131071 for one"
        );
        assert_eq!(said(&[1, 131_072], &[]), "argument 2 has 131072 bytes, and the system allows 131071 for one");
        let many = said(&[9, 100_000], &[("A", 99_000)]);
        assert_eq!(
            many,
            "its arguments and variables have 199014 bytes, and the system allows a quarter of `ulimit -s` for all of \
             them; the greatest is argument 2 with 100000 bytes"
        );
    }
}
