//! Quotes text from elsewhere in a sentence for a model or a client.
//!
//! The text is put in quotation marks, on one line, and its own brackets and quotation marks are replaced. So it can't
//! end the quotation and pass for smcp's words.

use smcp_model::text::SafeText;

/// Returns text from elsewhere as a quotation of at most `max_bytes` bytes between two quotation marks.
pub(super) fn quoted(text: &str, max_bytes: usize) -> String {
    let inert = |character| match character {
        '[' | '［' | '【' | '〔' | '〖' | '〘' | '〚' | '⟦' | '⁅' | '❲' | '﹝' => '(',
        ']' | '］' | '】' | '〕' | '〗' | '〙' | '〛' | '⟧' | '⁆' | '❳' | '﹞' => ')',
        '"' | '“' | '”' | '„' | '‟' | '«' | '»' | '〝' | '〞' | '〟' | '＂' => '\'',
        other => other,
    };
    let inert: String = SafeText::within(text, max_bytes).as_str().chars().map(inert).collect();
    format!("\"{inert}\"")
}
