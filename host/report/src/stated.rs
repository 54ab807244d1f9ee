//! Shows the signed statements that layers go by.

use serde_json::Value;
use serde_json::json;

use crate::style::Palette;
use crate::style::Span;
use smcp_decide::Conclusion;
use smcp_model::decision::StatedDocument;
use smcp_model::facts::CertLevel;
use smcp_model::facts::Facts;
use smcp_model::facts::Score;
use smcp_model::facts::Status;
use smcp_model::policy::LayerName;
use smcp_model::request::Subject;
use smcp_model::text::SafeText;

/// What a layer that goes by statements found: a statement, or why none counts.
pub type StatementFound = (LayerName, Result<StatedDocument, SafeText>);

/// What is known of a package where layers go by signed statements, and what the registry itself says of it.
#[derive(Debug)]
pub(crate) struct StatedView<'a> {
    own: &'a Facts,
    found: Vec<StatementFound>,
    /// Whether the registry's own word is not what decides, or not alone.
    is_stated: bool,
    /// The facts by which every layer goes, when all go by one statement.
    in_force: Option<Facts>,
}

impl<'a> StatedView<'a> {
    /// What the layers would go by.
    pub(crate) fn of_layers(subject: &'a Subject, found: &[StatementFound]) -> Self {
        Self { own: &subject.facts, found: found.to_vec(), is_stated: !found.is_empty(), in_force: in_force(found) }
    }

    /// What a decision went by.
    pub(crate) fn of_decision(subject: &'a Subject, conclusion: Conclusion<'_>) -> Self {
        match conclusion {
            Conclusion::Ruled(ruling) => {
                let found: Vec<_> = ruling.statements().iter().map(|it| (it.layer, Ok(it.clone()))).collect();
                let view = Self::of_layers(subject, &found);
                // Where a layer believes the registry, several words are in force.
                let in_force = view.in_force.filter(|_| ruling.believers().is_empty());
                Self { in_force, ..view }
            }
            Conclusion::Refused { code, .. } => {
                let is_stated = match code {
                    "status" => !matches!(subject.facts.status, Some(Status::Refused(_))),
                    code => code == "status-unsigned" || code.starts_with("statement"),
                };
                Self { is_stated, ..Self::of_layers(subject, &[]) }
            }
            Conclusion::Unavailable { .. } => Self::of_layers(subject, &[]),
        }
    }

    /// The facts to show; `None` where several differ, or nothing is known.
    pub(crate) fn facts(&self) -> Option<&Facts> {
        if self.is_stated { self.in_force.as_ref() } else { Some(self.own) }
    }

    /// The lowest score by which a layer goes.
    pub(crate) fn score(&self) -> Option<Score> {
        let stated = self.found.iter().filter_map(|(_, found)| found.as_ref().ok()?.score);
        if self.is_stated { stated.min() } else { self.own.score }
    }

    /// Whether the facts to show are the registry's own.
    pub(crate) const fn is_by_registry(&self) -> bool {
        !self.is_stated
    }

    /// Returns a row for each layer, and one with what the registry itself says.
    pub(crate) fn rows(&self, palette: &Palette) -> Vec<(&'static str, Span)> {
        let row = |(layer, found): &StatementFound| match found {
            Ok(stated) => Span::plain(format!("{} layer: {}", layer.as_str(), sentence(stated))),
            Err(why) => Span::new(format!("{} layer: {why}", layer.as_str()), palette.bad),
        };
        let Facts { status, origin, cert_level, score, .. } = self.own;
        let status = status.as_ref().map(|status| Status::as_str(status).to_owned());
        let own = words(status, origin.as_ref().map(ToString::to_string), *cert_level, *score);
        let own = (self.is_stated && !own.is_empty())
            .then(|| ("unsigned", Span::new(format!("{own}; by the registry itself"), palette.dim)));
        self.found.iter().map(|found| ("signed", row(found))).chain(own).collect()
    }
}

/// Returns the facts of the statement by which all layers go, if it is one.
fn in_force(found: &[StatementFound]) -> Option<Facts> {
    let mut stated = found.iter().map(|(_, found)| found.as_ref().ok());
    let first = stated.next()??;
    if !stated.all(|other| other.is_some_and(|other| other.digest == first.digest)) {
        return None;
    }
    Some(first.facts())
}

/// Returns the known ones of these facts in a few words.
fn words(status: Option<String>, origin: Option<String>, level: Option<CertLevel>, score: Option<Score>) -> String {
    let level = level.map(|level| format!("level {}", CertLevel::get(level)));
    let score = score.map(|score| format!("score {}", Score::get(score)));
    [status, origin, level, score].into_iter().flatten().collect::<Vec<_>>().join(", ")
}

/// Returns a statement in a few words.
pub(crate) fn sentence(stated: &StatedDocument) -> String {
    let StatedDocument { signer, sequence, expires, status, origin, cert_level, score, .. } = stated;
    let [status, origin] = [status, origin].map(|word| word.as_ref().map(ToString::to_string));
    let facts = words(status, origin, *cert_level, *score);
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
