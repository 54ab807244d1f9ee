//! Text with little code: joined from parts, and cut to bounds.

/// What one message or one line of the log may have, bytes: the bound that `wit/policy.wit` states. Passing it would make
/// the policy faulty.
pub(crate) const MAX_BYTES: usize = 4096;

/// Marks the place where a text was cut.
const CUT: &str = "…";

/// The parts one after another. `concat` and `format!` make a copy of themselves for each kind of list.
pub(crate) fn joined(parts: &[&str]) -> String {
    let mut text = String::new();
    parts.iter().for_each(|part| text.push_str(part));
    text
}

/// Leaves as much of a text as fits into so many bytes, between characters.
pub(crate) fn fit(text: &mut String, max: usize) {
    if text.len() > max {
        text.truncate(text.floor_char_boundary(max.saturating_sub(CUT.len())));
        text.push_str(CUT);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_too_long_is_cut_and_never_inside_a_character() {
        let mut whole = "a".repeat(MAX_BYTES);
        fit(&mut whole, MAX_BYTES);
        assert_eq!(whole, "a".repeat(MAX_BYTES));
        for long in ["a".repeat(MAX_BYTES + 1), "é".repeat(MAX_BYTES), "🦀".repeat(MAX_BYTES)] {
            let mut cut = long.clone();
            fit(&mut cut, MAX_BYTES);
            assert!(cut.len() <= MAX_BYTES && cut.len() > MAX_BYTES - 8, "{}", cut.len());
            assert!(cut.ends_with(CUT) && long.starts_with(cut.trim_end_matches(CUT)));
        }
    }
}
