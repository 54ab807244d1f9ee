//! Checks that variables and arguments fit what the system can start.
//!
//! The system only says that they are too long; this finds out which of them is.

use std::ffi::OsString;

use crate::env_file::Assignment;

/// The system's limits on the variables and arguments of a program, bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ArgumentLimits {
    /// The limit for one variable or argument, the NUL at its end included; `None` where there is no such limit.
    pub one: Option<usize>,
    /// The limit for all of them together; `None` when it is not known.
    pub all: Option<usize>,
}

/// The error for variables or arguments that are too long. Only names are shown.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TooLong {
    /// One variable.
    #[error(
        "the variable {name} is {length} bytes long with its name, and this system starts programs with {most} at most\n  \
             give the server the path of a file that has it"
    )]
    Variable {
        /// Its name.
        name: String,
        /// Name, `=` and value, bytes.
        length: usize,
        /// What the system takes, bytes.
        most: usize,
    },
    /// One argument.
    #[error(
        "argument {number} behind `--` is {length} bytes long, and this system starts programs with {most} at most"
    )]
    Argument {
        /// Which one, from 1.
        number: usize,
        /// Its bytes.
        length: usize,
        /// What the system takes, bytes.
        most: usize,
    },
    /// All of them together.
    #[error(
        "the server's variables and arguments are {length} bytes long together, and this system starts programs with \
             {most} at most\n  the longest is {longest}; `ulimit -s` raises the limit"
    )]
    Together {
        /// All bytes.
        length: usize,
        /// What the system takes, bytes.
        most: usize,
        /// The name of the longest.
        longest: String,
    },
}

impl ArgumentLimits {
    /// Checks that a server can be started with these variables and arguments.
    ///
    /// # Errors
    /// See [`TooLong`].
    pub fn check<'a>(
        self,
        variables: impl IntoIterator<Item = &'a Assignment>,
        arguments: &[OsString],
    ) -> Result<(), TooLong> {
        let mut together = 0_usize;
        let mut longest = (0, String::new());
        let mut count = |length: usize, name: &dyn Fn() -> String| {
            together = together.saturating_add(in_memory(length));
            if length >= longest.0 {
                longest = (length, name());
            }
        };
        for variable in variables {
            let length = variable.name.len().saturating_add(1).saturating_add(variable.value.len());
            if let Some(most) = self.exceeded(length) {
                return Err(TooLong::Variable { name: variable.name.clone(), length, most });
            }
            count(length, &|| format!("the variable {}", variable.name));
        }
        for (number, argument) in (1..).zip(arguments) {
            let length = argument.len();
            if let Some(most) = self.exceeded(length) {
                return Err(TooLong::Argument { number, length, most });
            }
            count(length, &|| format!("argument {number}"));
        }
        match self.all.filter(|most| together > *most) {
            Some(most) => Err(TooLong::Together { length: together, most, longest: longest.1 }),
            None => Ok(()),
        }
    }

    /// The greatest allowed length for one, if `length` exceeds it.
    fn exceeded(self, length: usize) -> Option<usize> {
        self.one.map(|one| one.saturating_sub(1)).filter(|most| length > *most)
    }
}

/// The share of one in the limit for all: its bytes, a NUL, and a pointer to it.
const fn in_memory(length: usize) -> usize {
    length.saturating_add(1 + size_of::<usize>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_too_long_is_named() {
        let room = ArgumentLimits { one: Some(16), all: Some(60) };
        let variable = |name: &str, length: usize| format!("{name}={}", "x".repeat(length)).parse().unwrap();
        let check = |variables: &[Assignment], arguments: &[&str]| {
            let arguments: Vec<_> = arguments.iter().map(OsString::from).collect();
            room.check(variables, &arguments).map_err(|error| error.to_string())
        };
        assert_eq!(check(&[variable("K", 13)], &["fifteen bytes..", ""]), Ok(()));
        let error = check(&[variable("A", 1), variable("KEY", 12)], &[]).unwrap_err();
        assert!(error.starts_with("the variable KEY is 16 bytes long with its name, and this system"), "{error}");
        assert!(error.contains("15 at most") && !error.contains('x'.to_string().repeat(4).as_str()), "{error}");
        let error = check(&[], &["a", "sixteen bytes..."]).unwrap_err();
        assert!(error.starts_with("argument 2 behind `--` is 16 bytes long"), "{error}");
        let error = check(&[variable("A", 9), variable("B", 11)], &["ten bytes.", "x"]).unwrap_err();
        assert!(error.contains("together") && error.contains("the longest is the variable B"), "{error}");
        let nobody_knows = ArgumentLimits { one: None, all: None };
        assert_eq!(nobody_knows.check(&[variable("K", 1 << 20)], &[]), Ok(()));
    }
}
