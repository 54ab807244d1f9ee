//! Text for XML documents, in which control characters have no form at all.

use smcp_model::text::SafeText;

/// The first line of every document.
pub(crate) const HEAD: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n";

/// Returns text for an attribute or an element, on one line.
pub(crate) fn escaped(text: &str) -> String {
    let mut escaped = String::new();
    for character in SafeText::new(text).as_str().chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&apos;"),
            other => escaped.push(other),
        }
    }
    escaped
}

/// Returns text for an element, with its lines.
pub(crate) fn escaped_lines(text: &str) -> String {
    text.lines().map(escaped).collect::<Vec<_>>().join("\n")
}
