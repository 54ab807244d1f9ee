//! Finds the word that a misspelt one most likely means.

/// The most characters of a word that are compared: the time grows with the square of their length.
const COMPARED: usize = 80;

/// Returns the candidate that `word` most likely means; `None` when none is close. Case does not count, nor the
/// difference between `-`, `_` and a space.
pub(crate) fn nearest<'c>(word: &str, candidates: impl IntoIterator<Item = &'c str>) -> Option<&'c str> {
    let normalised = |text: &str| text.trim().to_lowercase().replace(['-', ' '], "_");
    let word = normalised(&word.chars().take(COMPARED).collect::<String>());
    let rated = candidates.into_iter().filter_map(|candidate| {
        let distance = strsim::damerau_levenshtein(&word, &normalised(candidate));
        (distance <= candidate.chars().count().div_ceil(4)).then_some((distance, candidate))
    });
    rated.min_by_key(|(distance, _)| *distance).map(|(_, candidate)| candidate)
}
