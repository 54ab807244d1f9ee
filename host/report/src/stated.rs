//! Shows the signed statements that layers go by.

use serde_json::Value;
use serde_json::json;

use crate::style::Palette;
use crate::style::Span;
use smcp_decide::Conclusion;
use smcp_model::decision::StatedDocument;
use smcp_model::facts::CertLevel;
use smcp_model::facts::Score;
use smcp_model::policy::LayerName;
use smcp_model::text::SafeText;

/// What a layer that goes by statements found: a statement, or why none counts.
pub type StatementFound = (LayerName, Result<StatedDocument, SafeText>);

/// Returns a row for each layer.
pub(crate) fn rows(found: &[StatementFound], palette: &Palette) -> Vec<(&'static str, Span)> {
    let row = |(layer, found): &StatementFound| match found {
        Ok(stated) => Span::plain(format!("{} layer: {}", layer.as_str(), sentence(stated))),
        Err(why) => Span::new(format!("{} layer: {why}", layer.as_str()), palette.bad),
    };
    found.iter().map(|found| ("signed", row(found))).collect()
}

/// Returns a row for each statement that a decision went by.
pub(crate) fn ruled_rows(conclusion: Conclusion<'_>) -> Vec<(&'static str, Span)> {
    let statements = match conclusion {
        Conclusion::Ruled(ruling) => ruling.statements(),
        Conclusion::Refused { .. } | Conclusion::Unavailable { .. } => &[],
    };
    let row = |stated: &StatedDocument| Span::plain(format!("{} layer: {}", stated.layer.as_str(), sentence(stated)));
    statements.iter().map(|stated| ("signed", row(stated))).collect()
}

/// Returns a statement in a few words.
pub(crate) fn sentence(stated: &StatedDocument) -> String {
    let StatedDocument { signer, sequence, expires, status, origin, cert_level, score, .. } = stated;
    let facts = [
        status.as_ref().map(ToString::to_string),
        origin.as_ref().map(ToString::to_string),
        cert_level.map(|level| format!("level {}", CertLevel::get(level))),
        score.map(|score| format!("score {}", Score::get(score))),
    ];
    let facts = facts.into_iter().flatten().collect::<Vec<_>>().join(", ");
    format!("{facts}; by {signer}, number {sequence}, until {expires}")
}

/// Returns what the layers found as a document.
pub(crate) fn document(found: &[StatementFound]) -> Value {
    let one = |(layer, found): &StatementFound| match found {
        Ok(stated) => json!(stated),
        Err(why) => json!({"layer": layer, "problem": why}),
    };
    found.iter().map(one).collect()
}
