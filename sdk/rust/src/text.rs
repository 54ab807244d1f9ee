//! Joins text from parts and cuts it to bounds, with little code.

/// The most bytes of a message or a line of the log: the bound that `wit/policy.wit` states. A policy that exceeds it
/// is faulty.
pub(crate) const MAX_BYTES: usize = 4096;

/// Marks the place where a text was cut.
const CUT: &str = "…";

/// Joins the parts. `concat` and `format!` are compiled anew for each kind of list.
pub(crate) fn joined(parts: &[&str]) -> String {
    let mut text = String::new();
    parts.iter().for_each(|part| text.push_str(part));
    text
}

/// Cuts a text to this many bytes, between characters.
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
