//! Runs the filter as the kernel would, on calls of every kind.

use super::*;
use crate::filter::verdict::FilterVerdict;
use crate::filter::verdict::SystemCall;
use crate::filter::verdict::verdict;

fn run(program: &[Instruction], machine: u32, number: u32, arguments: [u64; 6]) -> FilterVerdict {
    verdict(program, &SystemCall { number, machine, arguments })
}

const TOKEN: [u64; 3] = [0x0123_4567_89ab_cdef, u64::MAX, 7];
const NONE: Refused = Refused { strict: false, network: false, hosts: false, processes: None };
const STRICT: Refused = Refused { strict: true, ..NONE };
const OFFLINE: Refused = Refused { network: true, ..STRICT };
const HOSTS: Refused = Refused { hosts: true, ..STRICT };
const ALONE: Refused = Refused { processes: Some(TOKEN), ..STRICT };

fn asked(refused: Refused, number: u32, arguments: [u64; 6]) -> FilterVerdict {
    run(&program(refused), ARCHITECTURE.unwrap(), number, arguments)
}

#[test]
fn calls_of_machines_are_refused_to_everybody() {
    for refused in [NONE, STRICT, OFFLINE, HOSTS, ALONE] {
        for number in MACHINE {
            assert_eq!(asked(refused, *number, [0; 6]), FilterVerdict::Refused(NOT_PERMITTED), "{number}");
        }
        // What a terminal is asked every day, and what types on it; the kernel looks at the lower half alone.
        for (request, expected) in [
            (0x5401, FilterVerdict::Allowed),
            (0x5412, FilterVerdict::Refused(NOT_PERMITTED)),
            (0x541c, FilterVerdict::Refused(NOT_PERMITTED)),
            (0xffff_ffff_0000_5412, FilterVerdict::Refused(NOT_PERMITTED)),
        ] {
            assert_eq!(asked(refused, calls::IOCTL, [0, request, 0, 0, 0, 0]), expected, "{request:#x}");
        }
    }
}

#[test]
fn other_numbers_of_the_same_processor_are_no_way_round() {
    for refused in [NONE, STRICT, OFFLINE, HOSTS, ALONE] {
        let program = program(refused);
        assert_eq!(run(&program, 0x4000_0003, calls::SOCKET, [0; 6]), FilterVerdict::Killed);
        if cfg!(target_arch = "x86_64") {
            let x32 = run(&program, ARCHITECTURE.unwrap(), X32 | calls::SOCKET, [0; 6]);
            assert_eq!(x32, FilterVerdict::Refused(NO_SUCH_CALL));
        }
    }
}

#[test]
fn without_a_network_only_local_pairs_are_sockets() {
    let refused = FilterVerdict::Refused(DENIED);
    for family in 0..50 {
        assert_eq!(asked(OFFLINE, calls::SOCKET, [family, 1, 0, 0, 0, 0]), refused, "{family}");
        let pair = asked(OFFLINE, calls::SOCKETPAIR, [family, 1, 0, 0, 0, 0]);
        assert_eq!(pair, if family == 1 { FilterVerdict::Allowed } else { FilterVerdict::Refused(DENIED) }, "{family}");
        assert_eq!(asked(STRICT, calls::SOCKET, [family, 1, 0, 0, 0, 0]), FilterVerdict::Allowed);
    }
    // Streams and packets in a row, also closed on exec and not waiting; datagrams can be sent elsewhere.
    for (kind, allowed) in [(1, true), (5, true), (2, false), (3, false), (10, false)] {
        for flags in [0, 0x800, 0x8_0000, 0x8_0800] {
            let pair = asked(OFFLINE, calls::SOCKETPAIR, [1, kind | flags, 0, 0, 0, 0]);
            assert_eq!(
                pair,
                if allowed { FilterVerdict::Allowed } else { FilterVerdict::Refused(DENIED) },
                "{kind} {flags:x}"
            );
        }
    }
    for number in calls::IO_URING {
        assert_eq!(asked(OFFLINE, number, [0; 6]), FilterVerdict::Refused(NO_SUCH_CALL));
        assert_eq!(asked(STRICT, number, [0; 6]), FilterVerdict::Allowed);
    }
}

#[test]
fn with_hosts_sockets_are_of_the_network_alone() {
    for family in 0..50 {
        for protocol in [0, 4, 12, 255] {
            let listed = matches!(family, 2 | 10) || (family, protocol) == (16, 0);
            let expected = if listed { FilterVerdict::Allowed } else { FilterVerdict::Refused(DENIED) };
            assert_eq!(asked(HOSTS, calls::SOCKET, [family, 1, protocol, 0, 0, 0]), expected, "{family} {protocol}");
        }
        let pair = asked(HOSTS, calls::SOCKETPAIR, [family, 1, 0, 0, 0, 0]);
        assert_eq!(pair, asked(OFFLINE, calls::SOCKETPAIR, [family, 1, 0, 0, 0, 0]), "{family}");
    }
    for number in calls::IO_URING {
        assert_eq!(asked(HOSTS, number, [0; 6]), FilterVerdict::Refused(NO_SUCH_CALL));
    }
    // The kernel looks at the lower half of a family alone.
    assert_eq!(asked(HOSTS, calls::SOCKET, [1 << 32 | 1, 1, 0, 0, 0, 0]), FilterVerdict::Refused(DENIED));
}

#[test]
fn new_namespaces_are_refused_where_permissions_are_known() {
    let bits = (0..32).map(|bit| 1_u32 << bit);
    for bit in bits.filter(|bit| NAMESPACES & bit != 0) {
        let flags = [u64::from(bit), 0, 0, 0, 0, 0];
        assert_eq!(asked(STRICT, calls::UNSHARE, flags), FilterVerdict::Refused(NOT_PERMITTED), "{bit:#x}");
        assert_eq!(asked(NONE, calls::UNSHARE, flags), FilterVerdict::Allowed);
        // The lowest byte of a clone is the signal at its end.
        let expected = if bit == 0x80 { FilterVerdict::Allowed } else { FilterVerdict::Refused(NOT_PERMITTED) };
        assert_eq!(asked(STRICT, calls::CLONE, flags), expected, "{bit:#x}");
    }
    assert_eq!(asked(STRICT, calls::UNSHARE, [0x400, 0, 0, 0, 0, 0]), FilterVerdict::Allowed);
    assert_eq!(asked(STRICT, calls::CLONE, [17, 0, 0, 0, 0, 0]), FilterVerdict::Allowed);
    assert_eq!(asked(STRICT, calls::CLONE3, [0; 6]), FilterVerdict::Refused(NO_SUCH_CALL));
    assert_eq!(asked(NONE, calls::CLONE3, [0; 6]), FilterVerdict::Allowed);
}

#[test]
fn places_and_priorities_are_ones_own() {
    let refused = || FilterVerdict::Refused(NOT_PERMITTED);
    for number in calls::OF_OTHERS {
        assert_eq!(asked(STRICT, number, [0; 6]), FilterVerdict::Allowed, "{number}");
        assert_eq!(asked(STRICT, number, [1, 0, 0, 0, 0, 0]), refused(), "{number}");
        assert_eq!(asked(NONE, number, [1, 0, 0, 0, 0, 0]), FilterVerdict::Allowed, "{number}");
    }
    // A process, a group, all of a user: by words that differ between the two.
    for (number, itself) in [(calls::SETPRIORITY, 0), (calls::IOPRIO_SET, 1)] {
        for which in 0..4 {
            let own = asked(STRICT, number, [which, 0, 5, 0, 0, 0]);
            assert_eq!(own, if which == itself { FilterVerdict::Allowed } else { refused() }, "{number} {which}");
            assert_eq!(asked(STRICT, number, [which, 1, 5, 0, 0, 0]), refused(), "{number} {which}");
            assert_eq!(asked(NONE, number, [which, 1, 5, 0, 0, 0]), FilterVerdict::Allowed);
        }
    }
}

#[test]
fn only_the_token_starts_a_program() {
    let refused = || FilterVerdict::Refused(NOT_PERMITTED);
    let with = |[first, second, third]: [u64; 3]| [1, 2, 3, first, second, third];
    assert_eq!(asked(ALONE, calls::EXECVE, with(TOKEN)), FilterVerdict::Allowed);
    assert_eq!(asked(STRICT, calls::EXECVE, with([0; 3])), FilterVerdict::Allowed);
    assert_eq!(asked(ALONE, calls::EXECVEAT, with(TOKEN)), refused());
    for word in 0..3 {
        for bit in 0..64 {
            let mut wrong = TOKEN;
            wrong[word] ^= 1 << bit;
            assert_eq!(asked(ALONE, calls::EXECVE, with(wrong)), refused(), "{word} {bit}");
        }
    }
    let thread = u64::from(THREAD_FLAGS);
    assert_eq!(asked(ALONE, calls::CLONE, [thread, 0, 0, 0, 0, 0]), FilterVerdict::Allowed);
    assert_eq!(asked(ALONE, calls::CLONE, [17, 0, 0, 0, 0, 0]), refused());
    assert_eq!(
        asked(ALONE, calls::CLONE, [thread | 0x4000_0000, 0, 0, 0, 0, 0]),
        refused(),
        "with a network of its own"
    );
    assert_eq!(asked(ALONE, calls::CLONE3, [0; 6]), FilterVerdict::Refused(NO_SUCH_CALL));
    for number in OWN_CALLS {
        assert_eq!(asked(ALONE, *number, [0; 6]), refused());
        assert_eq!(asked(STRICT, *number, [0; 6]), FilterVerdict::Allowed);
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
            assert_eq!(asked(STRICT, number, [0; 6]), FilterVerdict::Allowed, "{number}");
        }
    }
}

/// Runs a filter that asks; `None` when smcp is asked.
fn asks(refused: Refused, watched: &[u32], call: &SystemCall) -> Option<FilterVerdict> {
    let answer = verdict(&asking(&program(refused), watched), call);
    // The interpreter reads every other answer as an error: this one has no number.
    (answer != FilterVerdict::Refused(ASK & 0xffff)).then_some(answer)
}

#[test]
fn who_is_asked_never_loosens() {
    let watched = [calls::EXECVE, calls::SOCKET, calls::CLONE, 257];
    for refused in [NONE, STRICT, OFFLINE, HOSTS, ALONE] {
        for number in (0..500).chain([X32 | calls::SOCKET]).filter(|number| *number != calls::SECCOMP) {
            for first in [0, 1, 2, 17, 0x5412, u64::from(THREAD_FLAGS)] {
                let call = SystemCall { number, machine: ARCHITECTURE.unwrap(), arguments: [first, 1, 0, 0, 0, 0] };
                match (asks(refused, &watched, &call), verdict(&program(refused), &call)) {
                    (Some(FilterVerdict::Allowed), FilterVerdict::Allowed) => {
                        assert!(!watched.contains(&number), "{call:?}")
                    }
                    (Some(FilterVerdict::Refused(NO_SUCH_CALL)), FilterVerdict::Refused(NO_SUCH_CALL)) => {
                        assert!(number >= X32 || calls::IO_URING.contains(&number))
                    }
                    (Some(FilterVerdict::Refused(NO_SUCH_CALL)), FilterVerdict::Allowed) => {
                        assert!(calls::IO_URING.contains(&number), "{call:?}")
                    }
                    (None, FilterVerdict::Refused(_)) => {}
                    (None, FilterVerdict::Allowed) => assert!(watched.contains(&number), "{call:?}"),
                    other => panic!("{call:?} {other:?}"),
                }
            }
        }
        let other = SystemCall { number: 1, machine: 0x4000_0003, arguments: [0; 6] };
        assert_eq!(asks(refused, &watched, &other), Some(FilterVerdict::Killed));
    }
}

#[test]
fn nobody_listens_beside_smcp() {
    for refused in [NONE, STRICT, OFFLINE, HOSTS, ALONE] {
        for (flags, expected) in [
            (0, FilterVerdict::Allowed),
            (4, FilterVerdict::Allowed),
            (8, FilterVerdict::Refused(BUSY)),
            (0xffff_ffff_0000_002c, FilterVerdict::Refused(BUSY)),
        ] {
            let machine = ARCHITECTURE.unwrap();
            let call = SystemCall { number: calls::SECCOMP, machine, arguments: [1, flags, 0, 0, 0, 0] };
            assert_eq!(asks(refused, &[], &call), Some(expected), "{flags:x}");
        }
    }
}
