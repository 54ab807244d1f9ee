//! Cuts text to the bounds of the interface.
//!
//! A text that is too long would make the policy faulty.

/// What one message or one line of the log may have, bytes: the bound that `wit/policy.wit` states.
pub(crate) const MAX_BYTES: usize = 4096;

/// Marks the place where a text was cut.
const CUT: &str = "…";

/// The text, or as much of it as fits, between characters.
pub(crate) fn fit(mut text: String) -> String {
    if text.len() > MAX_BYTES {
        text.truncate(text.floor_char_boundary(MAX_BYTES - CUT.len()));
        text.push_str(CUT);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_too_long_is_cut_and_never_inside_a_character() {
        assert_eq!(fit("a".repeat(MAX_BYTES)), "a".repeat(MAX_BYTES));
        for long in ["a".repeat(MAX_BYTES + 1), "é".repeat(MAX_BYTES), "🦀".repeat(MAX_BYTES)] {
            let cut = fit(long.clone());
            assert!(cut.len() <= MAX_BYTES && cut.len() > MAX_BYTES - 8, "{}", cut.len());
            assert!(cut.ends_with(CUT) && long.starts_with(cut.trim_end_matches(CUT)));
        }
    }
}
