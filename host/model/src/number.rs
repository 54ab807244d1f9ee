//! Lengths and durations as numbers of 64 bits, to be written and compared.

use std::time::Duration;

/// A length in memory. It fits on every machine.
pub fn wide(length: usize) -> u64 {
    fitting(length)
}

/// Whole milliseconds; `u64::MAX` for more than half a billion years.
pub fn millis(time: Duration) -> u64 {
    fitting(time.as_millis())
}

/// Whole microseconds; `u64::MAX` for more than half a million years.
pub fn micros(time: Duration) -> u64 {
    fitting(time.as_micros())
}

/// The same number, or `u64::MAX` when it does not fit.
pub fn fitting(number: impl TryInto<u64>) -> u64 {
    number.try_into().unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_that_does_not_fit_is_the_greatest() {
        assert_eq!((wide(7), fitting(7_u128), fitting(u128::MAX)), (7, 7, u64::MAX));
        let time = Duration::from_micros(1_999);
        assert_eq!((millis(time), micros(time)), (1, 1_999));
        assert_eq!((millis(Duration::MAX), micros(Duration::MAX)), (u64::MAX, u64::MAX));
    }
}
