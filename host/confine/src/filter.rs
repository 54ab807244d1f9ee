//! The filter of system calls, as a program for the kernel.
//!
//! It is written out here, and not by a library, because it needs two things that none of ours has: calls by numbers
//! that belong to another interface of the same processor (x32), and one error for each kind of refusal.

#![cfg_attr(not(target_os = "linux"), expect(dead_code, reason = "only Linux has such filters"))]

pub(crate) mod calls;
pub(crate) mod verdict;

use crate::filter::calls::MACHINE;
use crate::filter::calls::NAMESPACES;
use crate::filter::calls::OWN_CALLS;

/// The number by which the kernel names this machine's calls; `None` where smcp doesn't know them.
pub(crate) const ARCHITECTURE: Option<u32> = if cfg!(all(target_arch = "x86_64", target_pointer_width = "64")) {
    Some(0xc000_003e)
} else if cfg!(all(target_arch = "aarch64", target_endian = "little")) {
    Some(0xc000_00b7)
} else {
    None
};

/// What is refused beyond the calls that only machines need.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Refused {
    /// New namespaces, and limits and priorities of other processes.
    pub(crate) strict: bool,
    /// Every socket but local pairs.
    pub(crate) network: bool,
    /// Every socket but those of the network and local pairs.
    pub(crate) hosts: bool,
    /// Every start of a program but the one that has this token in its unused arguments, and every new process.
    pub(crate) processes: Option<[u64; 3]>,
}

/// One instruction, as the kernel takes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Instruction {
    pub(crate) code: u16,
    pub(crate) when_true: u8,
    pub(crate) when_false: u8,
    pub(crate) operand: u32,
}

const LOAD: u16 = 0x20;
const EQUAL: u16 = 0x15;
const AT_LEAST: u16 = 0x35;
const ANY_BIT: u16 = 0x45;
const RETURN: u16 = 0x06;

const ALLOW: u32 = 0x7fff_0000;
const ERROR: u32 = 0x0005_0000;
const KILL: u32 = 0x8000_0000;
/// Asks whoever listens to the filter.
const ASK: u32 = 0x7fc0_0000;

/// The first number of the interface of x32.
const X32: u32 = 0x4000_0000;

pub(crate) const NOT_PERMITTED: u32 = 1;
const DENIED: u32 = 13;
const BUSY: u32 = 16;
/// The flag of `seccomp` that makes a filter which asks.
const NEW_LISTENER: u32 = 1 << 3;
/// A library that gets this goes the old way.
pub(crate) const NO_SUCH_CALL: u32 = 38;

/// Where the kernel puts the number of the call, and of the machine.
const NUMBER: u32 = 0;
const MACHINE_NUMBER: u32 = 4;

/// Where the kernel puts the lower half of an argument; the upper one follows.
const fn argument(index: u32) -> u32 {
    16 + 8 * index
}

const fn instruction(code: u16, operand: u32, when_true: u8, when_false: u8) -> Instruction {
    Instruction { code, when_true, when_false, operand }
}

const fn answer(operand: u32) -> Instruction {
    instruction(RETURN, operand, 0, 0)
}

const fn load(offset: u32) -> Instruction {
    instruction(LOAD, offset, 0, 0)
}

/// Makes the filter.
pub(crate) fn program(refused: Refused) -> Vec<Instruction> {
    let mut program = vec![
        load(MACHINE_NUMBER),
        instruction(EQUAL, ARCHITECTURE.unwrap_or_default(), 1, 0),
        // Programs of another machine, such as 32-bit ones, would have other numbers for all that follows.
        answer(KILL),
        load(NUMBER),
    ];
    if cfg!(target_arch = "x86_64") {
        program.extend([instruction(AT_LEAST, X32, 0, 1), answer(ERROR | NO_SUCH_CALL)]);
    }
    let (not_permitted, no_such_call) = (ERROR | NOT_PERMITTED, ERROR | NO_SUCH_CALL);
    for number in MACHINE {
        refuse(&mut program, *number, &[answer(not_permitted)]);
    }
    // Typing on the user's terminal.
    let typing = [0x5412, 0x541c];
    refuse(&mut program, calls::IOCTL, &one_of(1, typing, not_permitted));
    if refused.strict {
        refuse(&mut program, calls::UNSHARE, &any_bit(0, NAMESPACES, not_permitted));
        refuse(&mut program, calls::SETNS, &[answer(not_permitted)]);
        // What is done to another process, or a thread by its number: their places, priorities and limits.
        for number in calls::OF_OTHERS {
            refuse(&mut program, number, &unless(0, 0, not_permitted));
        }
        for (number, itself) in [(calls::SETPRIORITY, 0), (calls::IOPRIO_SET, 1)] {
            refuse(&mut program, number, &unless_both([itself, 0], not_permitted));
        }
    }
    match refused.processes {
        None if refused.strict => {
            // Its flags lie in memory, where a filter can't look.
            refuse(&mut program, calls::CLONE3, &[answer(no_such_call)]);
            refuse(&mut program, calls::CLONE, &any_bit(0, NAMESPACES & !0xff, not_permitted));
        }
        None => {}
        Some(token) => {
            refuse(&mut program, calls::CLONE3, &[answer(no_such_call)]);
            refuse(&mut program, calls::CLONE, &thread_alone(not_permitted));
            for number in OWN_CALLS {
                refuse(&mut program, *number, &[answer(not_permitted)]);
            }
            refuse(&mut program, calls::EXECVEAT, &[answer(not_permitted)]);
            refuse(&mut program, calls::EXECVE, &unless_token(token, not_permitted));
        }
    }
    if refused.network || refused.hosts {
        let sockets: &[Instruction] =
            if refused.network { &[answer(ERROR | DENIED)] } else { &network_alone(ERROR | DENIED) };
        refuse(&mut program, calls::SOCKET, sockets);
        refuse(&mut program, calls::SOCKETPAIR, &pair_alone(ERROR | DENIED));
        // It makes sockets that no filter sees.
        for number in calls::IO_URING {
            refuse(&mut program, number, &[answer(no_such_call)]);
        }
    }
    program.push(answer(ALLOW));
    program
}

/// Makes a filter of the same refusals by which the kernel asks smcp: about each of these calls, and instead of refusing one.
pub(crate) fn asking(program: &[Instruction], watched: &[u32]) -> Vec<Instruction> {
    // What decides about the machine comes first, and is no question.
    let head = program.iter().position(|one| *one == load(NUMBER)).map_or(0, |place| place + 1);
    let head = if cfg!(target_arch = "x86_64") { head + 2 } else { head };
    let (head, rest) = program.split_at(head.min(program.len()));
    // Who had a listener of his own would be asked in smcp's place as soon as smcp is gone: of several questions about a call
    // the newest filter's counts. The kernel says the same as long as there is one.
    let listening = any_bit(1, NEW_LISTENER, ERROR | BUSY);
    let [load, test, refuse, _] = listening;
    let nobody_else =
        [instruction(EQUAL, calls::SECCOMP, 0, 3), load, instruction(test.code, test.operand, 0, 1), refuse];
    // The number has to be there again for what follows.
    let nobody_else = nobody_else.into_iter().chain([self::load(NUMBER)]);
    let watched = watched.iter().flat_map(|number| [instruction(EQUAL, *number, 0, 1), answer(ASK)]);
    // What is done by it is no call that anybody would be asked about. Libraries go the old way.
    let rings =
        calls::IO_URING.iter().flat_map(|number| [instruction(EQUAL, *number, 0, 1), answer(ERROR | NO_SUCH_CALL)]);
    let watched = nobody_else.chain(rings).chain(watched);
    let rest = rest.iter().map(|one| {
        let refuses = one.code == RETURN && one.operand & !0xffff == ERROR;
        if refuses { answer(ASK) } else { *one }
    });
    head.iter().copied().chain(watched).chain(rest).collect()
}

/// Adds what happens to one call. `body` ends in an answer on each of its ways.
fn refuse(program: &mut Vec<Instruction>, number: u32, body: &[Instruction]) {
    let length = u8::try_from(body.len()).unwrap_or(u8::MAX);
    program.push(instruction(EQUAL, number, 0, length));
    program.extend_from_slice(body);
}

/// Refuses a call if an argument has one of these values.
fn one_of(index: u32, [first, second]: [u32; 2], error: u32) -> [Instruction; 5] {
    [
        load(argument(index)),
        instruction(EQUAL, first, 2, 0),
        instruction(EQUAL, second, 1, 0),
        answer(ALLOW),
        answer(error),
    ]
}

/// Refuses a call if an argument has any of these bits.
const fn any_bit(index: u32, bits: u32, error: u32) -> [Instruction; 4] {
    [load(argument(index)), instruction(ANY_BIT, bits, 0, 1), answer(error), answer(ALLOW)]
}

/// Refuses `clone` unless it makes a thread, in the namespaces of its process.
const fn thread_alone(error: u32) -> [Instruction; 5] {
    [
        load(argument(0)),
        instruction(ANY_BIT, NAMESPACES & !0xff, 1, 0),
        instruction(ANY_BIT, calls::THREAD, 1, 0),
        answer(error),
        answer(ALLOW),
    ]
}

/// Refuses `socketpair` unless it is local, and its ends can speak to each other alone: those of datagrams (and of the raw
/// kind, which is the same here; both have the second bit, and the others not) can be given another address.
const fn pair_alone(error: u32) -> [Instruction; 6] {
    [
        load(argument(0)),
        instruction(EQUAL, 1, 0, 3),
        load(argument(1)),
        instruction(ANY_BIT, 2, 1, 0),
        answer(ALLOW),
        answer(error),
    ]
}

/// Refuses `socket` but for the two kinds of the network (`AF_INET`, `AF_INET6`), and for asking the kernel about it
/// (`AF_NETLINK`, `NETLINK_ROUTE`), by which programs list the addresses of their machine.
const fn network_alone(error: u32) -> [Instruction; 8] {
    [
        load(argument(0)),
        instruction(EQUAL, 2, 4, 0),
        instruction(EQUAL, 10, 3, 0),
        instruction(EQUAL, 16, 0, 3),
        load(argument(2)),
        instruction(EQUAL, 0, 0, 1),
        answer(ALLOW),
        answer(error),
    ]
}

/// Refuses a call unless an argument, an `int`, has this value.
const fn unless(index: u32, value: u32, error: u32) -> [Instruction; 4] {
    [load(argument(index)), instruction(EQUAL, value, 1, 0), answer(error), answer(ALLOW)]
}

/// Refuses a call unless the first two arguments, of the kind of `int`, have these values.
const fn unless_both([first, second]: [u32; 2], error: u32) -> [Instruction; 6] {
    [
        load(argument(0)),
        instruction(EQUAL, first, 0, 2),
        load(argument(1)),
        instruction(EQUAL, second, 1, 0),
        answer(error),
        answer(ALLOW),
    ]
}

/// Refuses `execve` unless its fourth to sixth arguments, which it does not use, are the token.
fn unless_token(token: [u64; 3], error: u32) -> Vec<Instruction> {
    let halves = |word: u64| [word & 0xffff_ffff, word >> 32].map(|half| u32::try_from(half).unwrap_or_default());
    let offsets = (3..6).flat_map(|index| [argument(index), argument(index) + 4]);
    let expected: Vec<_> = offsets.zip(token.into_iter().flat_map(halves)).collect();
    let mut body = Vec::new();
    for (place, (offset, half)) in expected.iter().enumerate() {
        // From here over the rest of the comparisons, and the answer that allows.
        let rest = u8::try_from(2 * (expected.len() - place - 1) + 1).unwrap_or(u8::MAX);
        body.extend([load(*offset), instruction(EQUAL, *half, 0, rest)]);
    }
    body.extend([answer(ALLOW), answer(error)]);
    body
}

#[cfg(test)]
mod tests;
