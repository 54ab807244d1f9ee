//! An error with its causes, as text.

use std::error::Error;

/// The error and each of its causes, with colons.
pub fn causes(error: &(dyn Error + 'static)) -> String {
    texts(error).join(": ")
}

/// The error with its causes on one line, then whatever else they say on lines of their own: what to do comes last.
pub fn explained(error: &(dyn Error + 'static)) -> String {
    let texts = texts(error);
    let (heads, more): (Vec<&str>, Vec<&str>) =
        texts.iter().map(|text| text.split_once('\n').unwrap_or((text, ""))).unzip();
    let more = more.into_iter().filter(|lines| !lines.is_empty());
    std::iter::once(heads.join(": ").as_str()).chain(more).collect::<Vec<_>>().join("\n")
}

fn texts(error: &(dyn Error + 'static)) -> Vec<String> {
    let mut texts = vec![error.to_string()];
    let mut cause = error.source();
    while let Some(error) = cause {
        texts.push(error.to_string());
        cause = error.source();
    }
    texts
}
