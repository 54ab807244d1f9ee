//! Runs the filter as the kernel would, on calls of every kind.

use super::*;

/// The answer of a filter to a call.
#[derive(Debug, PartialEq, Eq)]
enum CallAnswer {
    Allowed,
    Refused(u32),
    Killed,
}

/// Runs a program: the instructions that filters use, by what the kernel documents of them.
fn run(program: &[Instruction], machine: u32, number: u32, arguments: [u64; 6]) -> CallAnswer {
    let mut data = [0_u8; 64];
    data[0..4].copy_from_slice(&number.to_le_bytes());
    data[4..8].copy_from_slice(&machine.to_le_bytes());
    for (index, argument) in arguments.iter().enumerate() {
        data[16 + 8 * index..24 + 8 * index].copy_from_slice(&argument.to_le_bytes());
    }
    let (mut accumulator, mut next) = (0_u32, 0_usize);
    loop {
        let Instruction { code, when_true, when_false, operand } = program[next];
        next += 1;
        let holds = match code {
            LOAD => {
                let offset = usize::try_from(operand).unwrap();
                accumulator = u32::from_le_bytes(data[offset..offset + 4].try_into().unwrap());
                continue;
            }
            EQUAL => accumulator == operand,
            AT_LEAST => accumulator >= operand,
            ANY_BIT => accumulator & operand != 0,
            RETURN if operand == ALLOW => return CallAnswer::Allowed,
            RETURN if operand == KILL => return CallAnswer::Killed,
            RETURN => return CallAnswer::Refused(operand & 0xffff),
            other => panic!("{other:#x}"),
        };
        next += usize::from(if holds { when_true } else { when_false });
    }
}

const TOKEN: [u64; 3] = [0x0123_4567_89ab_cdef, u64::MAX, 7];
const NONE: Refused = Refused { strict: false, network: false, hosts: false, processes: None };
const STRICT: Refused = Refused { strict: true, ..NONE };
const OFFLINE: Refused = Refused { network: true, ..STRICT };
const HOSTS: Refused = Refused { hosts: true, ..STRICT };
const ALONE: Refused = Refused { processes: Some(TOKEN), ..STRICT };

fn asked(refused: Refused, number: u32, arguments: [u64; 6]) -> CallAnswer {
    run(&program(refused), ARCHITECTURE.unwrap(), number, arguments)
}

#[test]
fn calls_of_machines_are_refused_to_everybody() {
    for refused in [NONE, STRICT, OFFLINE, HOSTS, ALONE] {
        for number in MACHINE {
            assert_eq!(asked(refused, *number, [0; 6]), CallAnswer::Refused(NOT_PERMITTED), "{number}");
        }
        // What a terminal is asked every day, and what types on it; the kernel looks at the lower half alone.
        for (request, expected) in [
            (0x5401, CallAnswer::Allowed),
            (0x5412, CallAnswer::Refused(NOT_PERMITTED)),
            (0x541c, CallAnswer::Refused(NOT_PERMITTED)),
            (0xffff_ffff_0000_5412, CallAnswer::Refused(NOT_PERMITTED)),
        ] {
            assert_eq!(asked(refused, calls::IOCTL, [0, request, 0, 0, 0, 0]), expected, "{request:#x}");
        }
    }
}

#[test]
fn other_numbers_of_the_same_processor_are_no_way_round() {
    for refused in [NONE, STRICT, OFFLINE, HOSTS, ALONE] {
        let program = program(refused);
        assert_eq!(run(&program, 0x4000_0003, calls::SOCKET, [0; 6]), CallAnswer::Killed);
        if cfg!(target_arch = "x86_64") {
            let x32 = run(&program, ARCHITECTURE.unwrap(), X32 | calls::SOCKET, [0; 6]);
            assert_eq!(x32, CallAnswer::Refused(NO_SUCH_CALL));
        }
    }
}

#[test]
fn without_a_network_only_local_pairs_are_sockets() {
    let refused = CallAnswer::Refused(DENIED);
    for family in 0..50 {
        assert_eq!(asked(OFFLINE, calls::SOCKET, [family, 1, 0, 0, 0, 0]), refused, "{family}");
        let pair = asked(OFFLINE, calls::SOCKETPAIR, [family, 1, 0, 0, 0, 0]);
        assert_eq!(pair, if family == 1 { CallAnswer::Allowed } else { CallAnswer::Refused(DENIED) }, "{family}");
        assert_eq!(asked(STRICT, calls::SOCKET, [family, 1, 0, 0, 0, 0]), CallAnswer::Allowed);
    }
    // Streams and packets in a row, also closed on exec and not waiting; datagrams can be sent elsewhere.
    for (kind, allowed) in [(1, true), (5, true), (2, false), (3, false), (10, false)] {
        for flags in [0, 0x800, 0x8_0000, 0x8_0800] {
            let pair = asked(OFFLINE, calls::SOCKETPAIR, [1, kind | flags, 0, 0, 0, 0]);
            assert_eq!(
                pair,
                if allowed { CallAnswer::Allowed } else { CallAnswer::Refused(DENIED) },
                "{kind} {flags:x}"
            );
        }
    }
    for number in calls::IO_URING {
        assert_eq!(asked(OFFLINE, number, [0; 6]), CallAnswer::Refused(NO_SUCH_CALL));
        assert_eq!(asked(STRICT, number, [0; 6]), CallAnswer::Allowed);
    }
}

#[test]
fn with_hosts_sockets_are_of_the_network_alone() {
    for family in 0..50 {
        for protocol in [0, 4, 12, 255] {
            let listed = matches!(family, 2 | 10) || (family, protocol) == (16, 0);
            let expected = if listed { CallAnswer::Allowed } else { CallAnswer::Refused(DENIED) };
            assert_eq!(asked(HOSTS, calls::SOCKET, [family, 1, protocol, 0, 0, 0]), expected, "{family} {protocol}");
        }
        let pair = asked(HOSTS, calls::SOCKETPAIR, [family, 1, 0, 0, 0, 0]);
        assert_eq!(pair, asked(OFFLINE, calls::SOCKETPAIR, [family, 1, 0, 0, 0, 0]), "{family}");
    }
    for number in calls::IO_URING {
        assert_eq!(asked(HOSTS, number, [0; 6]), CallAnswer::Refused(NO_SUCH_CALL));
    }
    // The kernel looks at the lower half of a family alone.
    assert_eq!(asked(HOSTS, calls::SOCKET, [1 << 32 | 1, 1, 0, 0, 0, 0]), CallAnswer::Refused(DENIED));
}

#[test]
fn new_namespaces_are_refused_where_permissions_are_known() {
    let bits = (0..32).map(|bit| 1_u32 << bit);
    for bit in bits.filter(|bit| NAMESPACES & bit != 0) {
        let flags = [u64::from(bit), 0, 0, 0, 0, 0];
        assert_eq!(asked(STRICT, calls::UNSHARE, flags), CallAnswer::Refused(NOT_PERMITTED), "{bit:#x}");
        assert_eq!(asked(NONE, calls::UNSHARE, flags), CallAnswer::Allowed);
        // The lowest byte of a clone is the signal at its end.
        let expected = if bit == 0x80 { CallAnswer::Allowed } else { CallAnswer::Refused(NOT_PERMITTED) };
        assert_eq!(asked(STRICT, calls::CLONE, flags), expected, "{bit:#x}");
    }
    assert_eq!(asked(STRICT, calls::UNSHARE, [0x400, 0, 0, 0, 0, 0]), CallAnswer::Allowed);
    assert_eq!(asked(STRICT, calls::CLONE, [17, 0, 0, 0, 0, 0]), CallAnswer::Allowed);
    assert_eq!(asked(STRICT, calls::CLONE3, [0; 6]), CallAnswer::Refused(NO_SUCH_CALL));
    assert_eq!(asked(NONE, calls::CLONE3, [0; 6]), CallAnswer::Allowed);
}

#[test]
fn places_and_priorities_are_ones_own() {
    let refused = || CallAnswer::Refused(NOT_PERMITTED);
    for number in calls::OF_OTHERS {
        assert_eq!(asked(STRICT, number, [0; 6]), CallAnswer::Allowed, "{number}");
        assert_eq!(asked(STRICT, number, [1, 0, 0, 0, 0, 0]), refused(), "{number}");
        assert_eq!(asked(NONE, number, [1, 0, 0, 0, 0, 0]), CallAnswer::Allowed, "{number}");
    }
    // A process, a group, all of a user: by words that differ between the two.
    for (number, itself) in [(calls::SETPRIORITY, 0), (calls::IOPRIO_SET, 1)] {
        for which in 0..4 {
            let own = asked(STRICT, number, [which, 0, 5, 0, 0, 0]);
            assert_eq!(own, if which == itself { CallAnswer::Allowed } else { refused() }, "{number} {which}");
            assert_eq!(asked(STRICT, number, [which, 1, 5, 0, 0, 0]), refused(), "{number} {which}");
            assert_eq!(asked(NONE, number, [which, 1, 5, 0, 0, 0]), CallAnswer::Allowed);
        }
    }
}

#[test]
fn only_the_token_starts_a_program() {
    let refused = || CallAnswer::Refused(NOT_PERMITTED);
    let with = |[first, second, third]: [u64; 3]| [1, 2, 3, first, second, third];
    assert_eq!(asked(ALONE, calls::EXECVE, with(TOKEN)), CallAnswer::Allowed);
    assert_eq!(asked(STRICT, calls::EXECVE, with([0; 3])), CallAnswer::Allowed);
    assert_eq!(asked(ALONE, calls::EXECVEAT, with(TOKEN)), refused());
    for word in 0..3 {
        for bit in 0..64 {
            let mut wrong = TOKEN;
            wrong[word] ^= 1 << bit;
            assert_eq!(asked(ALONE, calls::EXECVE, with(wrong)), refused(), "{word} {bit}");
        }
    }
    let thread = u64::from(THREAD_FLAGS);
    assert_eq!(asked(ALONE, calls::CLONE, [thread, 0, 0, 0, 0, 0]), CallAnswer::Allowed);
    assert_eq!(asked(ALONE, calls::CLONE, [17, 0, 0, 0, 0, 0]), refused());
    assert_eq!(
        asked(ALONE, calls::CLONE, [thread | 0x4000_0000, 0, 0, 0, 0, 0]),
        refused(),
        "with a network of its own"
    );
    assert_eq!(asked(ALONE, calls::CLONE3, [0; 6]), CallAnswer::Refused(NO_SUCH_CALL));
    for number in OWN_CALLS {
        assert_eq!(asked(ALONE, *number, [0; 6]), refused());
        assert_eq!(asked(STRICT, *number, [0; 6]), CallAnswer::Allowed);
    }
}

/// What a C library gives a new thread.
const THREAD_FLAGS: u32 = 0x003d_0f00;

#[test]
fn everything_else_is_allowed() {
    for number in 0..500 {
        let known = MACHINE.contains(&number)
            || number == calls::CLONE3
            || number == calls::SETNS
            || number == calls::IOPRIO_SET;
        if !known {
            assert_eq!(asked(STRICT, number, [0; 6]), CallAnswer::Allowed, "{number}");
        }
    }
}
