//! Text from elsewhere in a sentence of ours, for a model or a client to read.
//!
//! It stands in quotation marks, on one line, with neither brackets nor quotation marks of its own: it can't end the
//! quotation and speak as smcp.

use smcp_model::text::SafeText;

/// Text from elsewhere as a quotation of at most `most` bytes, and the two marks around it.
pub(super) fn quoted(text: &str, most: usize) -> String {
    let inert = |character| match character {
        '[' | '［' | '【' | '〔' | '〖' | '〘' | '〚' | '⟦' | '⁅' | '❲' | '﹝' => '(',
        ']' | '］' | '】' | '〕' | '〗' | '〙' | '〛' | '⟧' | '⁆' | '❳' | '﹞' => ')',
        '"' | '“' | '”' | '„' | '‟' | '«' | '»' | '〝' | '〞' | '〟' | '＂' => '\'',
        other => other,
    };
    let inert: String = SafeText::within(text, most).as_str().chars().map(inert).collect();
    format!("\"{inert}\"")
}
