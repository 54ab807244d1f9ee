//! Runs a filter as the kernel does.

use crate::filter::ALLOW;
use crate::filter::ANY_BIT;
use crate::filter::AT_LEAST;
use crate::filter::EQUAL;
use crate::filter::Instruction;
use crate::filter::KILL;
use crate::filter::LOAD;
use crate::filter::MACHINE_NUMBER;
use crate::filter::NOT_PERMITTED;
use crate::filter::NUMBER;
use crate::filter::RETURN;
use crate::filter::argument;

/// A system call, as a filter sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct SystemCall {
    pub(crate) number: u32,
    pub(crate) machine: u32,
    pub(crate) arguments: [u64; 6],
}

/// What becomes of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FilterVerdict {
    Allowed,
    /// It fails with this error.
    Refused(u32),
    Killed,
}

/// Says what a filter makes of a call. What no filter of ours has is refused.
pub(crate) fn verdict(program: &[Instruction], call: &SystemCall) -> FilterVerdict {
    let (mut accumulator, mut next) = (0_u32, 0_usize);
    loop {
        let Some(Instruction { code, when_true, when_false, operand }) = program.get(next).copied() else {
            return FilterVerdict::Refused(NOT_PERMITTED);
        };
        next += 1;
        let holds = match code {
            LOAD => {
                let Some(word) = word(call, operand) else { return FilterVerdict::Refused(NOT_PERMITTED) };
                accumulator = word;
                continue;
            }
            EQUAL => accumulator == operand,
            AT_LEAST => accumulator >= operand,
            ANY_BIT => accumulator & operand != 0,
            RETURN if operand == ALLOW => return FilterVerdict::Allowed,
            RETURN if operand == KILL => return FilterVerdict::Killed,
            RETURN => return FilterVerdict::Refused(operand & 0xffff),
            _ => return FilterVerdict::Refused(NOT_PERMITTED),
        };
        next += usize::from(if holds { when_true } else { when_false });
    }
}

/// The word at a place of what the kernel hands to filters.
fn word(call: &SystemCall, offset: u32) -> Option<u32> {
    let halves = |argument: u64| [argument & 0xffff_ffff, argument >> 32].map(|half| u32::try_from(half).ok());
    match offset {
        NUMBER => Some(call.number),
        MACHINE_NUMBER => Some(call.machine),
        _ => {
            let place = usize::try_from(offset.checked_sub(argument(0))?).ok()?;
            let halves = halves(*call.arguments.get(place / 8)?);
            halves.get(place % 8 / 4).copied().flatten().filter(|_| place % 4 == 0)
        }
    }
}
