//! What somebody most likely meant.

/// Characters of a word that are compared: names are short, and the time grows with the square of their length.
const COMPARED: usize = 80;

/// The candidate that somebody most likely meant by `word`, whatever its case and whether it has `-`, `_` or a space.
pub fn nearest<'c>(word: &str, candidates: impl IntoIterator<Item = &'c str>) -> Option<&'c str> {
    let plain = |text: &str| text.trim().to_lowercase().replace(['-', ' '], "_");
    let word: String = plain(&word.chars().take(COMPARED).collect::<String>());
    let close = |candidate: &&str| {
        let distance = strsim::damerau_levenshtein(&word, &plain(candidate));
        (distance <= candidate.chars().count().div_ceil(4)).then_some(distance)
    };
    let rated = candidates.into_iter().filter_map(|candidate| Some((close(&candidate)?, candidate)));
    rated.min_by_key(|(distance, _)| *distance).map(|(_, candidate)| candidate)
}
