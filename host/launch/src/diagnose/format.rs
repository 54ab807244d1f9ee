//! Recognises kinds of program files by their first bytes.

use std::fmt;

/// How far Linux reads to find a script's interpreter, bytes.
const SCRIPT_LINE: usize = 256;

/// A kind of file.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum ProgramFormat {
    /// Its first line begins with `#!`.
    Script {
        /// The first word of the line; empty when there is none.
        interpreter: Vec<u8>,
        /// Whether the line ends in a carriage return, which the system takes for a part of the name.
        ends_in_cr: bool,
    },
    /// A program of Linux and its relatives.
    Elf {
        /// The machine that it was built for.
        machine: Machine,
        /// The dynamic loader that it asks for, if it is in the bytes.
        loader: Option<Vec<u8>>,
    },
    /// A program of macOS.
    MacOs,
    /// A program of Windows.
    Windows,
    /// An empty file.
    Empty,
    /// Anything else.
    Other,
}

/// A kind of machine, by its number in an ELF file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Machine(u16);

/// Names of common machines.
const MACHINES: [(u16, &str); 8] = [
    (3, "x86"),
    (20, "ppc"),
    (21, "ppc64"),
    (22, "s390x"),
    (40, "arm"),
    (62, "x86-64"),
    (183, "arm64"),
    (243, "riscv"),
];

/// The machine that smcp itself was built for.
pub(super) const OURS: Machine = Machine(if cfg!(target_arch = "x86_64") {
    62
} else if cfg!(target_arch = "aarch64") {
    183
} else if cfg!(target_arch = "x86") {
    3
} else if cfg!(target_arch = "arm") {
    40
} else if cfg!(target_arch = "s390x") {
    22
} else if cfg!(target_arch = "powerpc64") {
    21
} else {
    243
});

impl fmt::Display for Machine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match MACHINES.iter().find(|(number, _)| *number == self.0) {
            Some((_, name)) => f.write_str(name),
            None => write!(f, "machine {}", self.0),
        }
    }
}

impl ProgramFormat {
    /// The kind of a file that begins with these bytes.
    pub(super) fn of(head: &[u8]) -> Self {
        if let Some(rest) = head.strip_prefix(b"#!") {
            return script(rest.get(..SCRIPT_LINE - 2).unwrap_or(rest));
        }
        match head {
            [] => Self::Empty,
            [0x7f, b'E', b'L', b'F', ..] => elf(head),
            [0xcf | 0xce, 0xfa, 0xed, 0xfe, ..] | [0xca, 0xfe, 0xba, 0xbe, ..] => Self::MacOs,
            [b'M', b'Z', ..] => Self::Windows,
            _ => Self::Other,
        }
    }
}

fn script(rest: &[u8]) -> ProgramFormat {
    let line = rest.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let blank = |byte: &u8| matches!(byte, b' ' | b'\t');
    let start = line.iter().position(|byte| !blank(byte)).unwrap_or(line.len());
    let named = line.get(start..).unwrap_or_default();
    let interpreter = named.split(blank).next().unwrap_or_default().to_vec();
    ProgramFormat::Script { interpreter, ends_in_cr: line.ends_with(b"\r") }
}

fn elf(head: &[u8]) -> ProgramFormat {
    let bytes = Elf { head, big: head.get(5) == Some(&2), wide: head.get(4) == Some(&2) };
    ProgramFormat::Elf {
        machine: Machine(u16::try_from(bytes.number(18, 2).unwrap_or_default()).unwrap_or_default()),
        loader: bytes.loader(),
    }
}

/// The head of an ELF file.
struct Elf<'h> {
    head: &'h [u8],
    /// Its numbers are big-endian.
    big: bool,
    /// It is a 64-bit file.
    wide: bool,
}

impl Elf<'_> {
    /// The number of `length` bytes at the offset `at`.
    fn number(&self, at: usize, length: usize) -> Option<u64> {
        let bytes = self.head.get(at..at.checked_add(length)?)?;
        let append = |number: u64, byte: &u8| number << 8 | u64::from(*byte);
        Some(if self.big { bytes.iter().fold(0, append) } else { bytes.iter().rev().fold(0, append) })
    }

    fn place(&self, at: usize, length: usize) -> Option<usize> {
        usize::try_from(self.number(at, length)?).ok()
    }

    /// The dynamic loader: the content of the segment of type 3, up to its NUL.
    fn loader(&self) -> Option<Vec<u8>> {
        const INTERPRETER: u64 = 3;
        let (table, size, count) = if self.wide {
            (self.place(32, 8)?, self.place(54, 2)?, self.place(56, 2)?)
        } else {
            (self.place(28, 4)?, self.place(42, 2)?, self.place(44, 2)?)
        };
        let entries = (0..count).filter_map(|index| table.checked_add(index.checked_mul(size)?));
        let entry =
            entries.take_while(|at| *at < self.head.len()).find(|at| self.number(*at, 4) == Some(INTERPRETER))?;
        let (start, length) = if self.wide {
            (self.place(entry.checked_add(8)?, 8)?, self.place(entry.checked_add(32)?, 8)?)
        } else {
            (self.place(entry.checked_add(4)?, 4)?, self.place(entry.checked_add(16)?, 4)?)
        };
        let path = self.head.get(start..start.checked_add(length)?)?;
        path.split(|byte| *byte == 0).next().map(<[u8]>::to_vec)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_script_names_its_interpreter_as_the_system_reads_it() {
        let script =
            |interpreter: &[u8], ends_in_cr| ProgramFormat::Script { interpreter: interpreter.to_vec(), ends_in_cr };
        let cases: [(&[u8], ProgramFormat); 8] = [
            (b"#!/bin/sh\necho", script(b"/bin/sh", false)),
            (b"#! \t/bin/sh -e\n", script(b"/bin/sh", false)),
            (b"#!/bin/sh", script(b"/bin/sh", false)),
            (b"#!/bin/sh\r\necho", script(b"/bin/sh\r", true)),
            (b"#!/usr/bin/env node\r\n", script(b"/usr/bin/env", true)),
            (b"#!\n", script(b"", false)),
            (b"#!", script(b"", false)),
            (b"#!  \r\n", script(b"\r", true)),
        ];
        for (head, expected) in cases {
            assert_eq!(ProgramFormat::of(head), expected, "{}", String::from_utf8_lossy(head));
        }
    }

    #[test]
    fn what_was_built_for_somebody_else_is_told_apart() {
        let elf = |class: u8, data: u8, machine: [u8; 2]| {
            [&[0x7f, b'E', b'L', b'F', class, data][..], &[0; 12], &machine, &[0; 44]].concat()
        };
        let machine = |head: &[u8]| {
            let format = ProgramFormat::of(head);
            if let ProgramFormat::Elf { machine, loader: None } = format {
                machine.to_string()
            } else {
                format!("{format:?}")
            }
        };
        let cases = [
            (elf(2, 1, [62, 0]), "x86-64"),
            (elf(2, 1, [183, 0]), "arm64"),
            (elf(1, 1, [40, 0]), "arm"),
            (elf(2, 2, [0, 22]), "s390x"),
            (elf(2, 1, [0x39, 0x30]), "machine 12345"),
            (b"\x7fELF".to_vec(), "machine 0"),
        ];
        for (head, expected) in cases {
            assert_eq!(machine(&head), expected, "{head:?}");
        }
        let others: [(&[u8], ProgramFormat); 7] = [
            (b"", ProgramFormat::Empty),
            (b"MZ\x90\0", ProgramFormat::Windows),
            (b"\xcf\xfa\xed\xfe\x07", ProgramFormat::MacOs),
            (b"\xca\xfe\xba\xbe\0", ProgramFormat::MacOs),
            (b"echo hello\n", ProgramFormat::Other),
            (b"\n#!/bin/sh\n", ProgramFormat::Other),
            (b"\xef\xbb\xbf#!/bin/sh\n", ProgramFormat::Other),
        ];
        for (head, expected) in others {
            assert_eq!(ProgramFormat::of(head), expected, "{head:?}");
        }
    }

    #[test]
    fn our_own_program_is_for_our_own_machine() {
        #[expect(clippy::disallowed_methods, reason = "a program that certainly starts here")]
        let own = std::fs::read(std::env::current_exe().unwrap()).unwrap();
        if let ProgramFormat::Elf { machine, loader } = ProgramFormat::of(&own) {
            assert_eq!(machine, OURS);
            assert!(loader.is_none_or(|loader| loader.starts_with(b"/")), "a loader has an absolute path");
        }
    }
}
