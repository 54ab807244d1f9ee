//! What should be known of exceptions: that they end, or can't match.
//!
//! `config validate` shows it. None of it is an error: an exception without effect lets nothing through.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::drafts::affordable;
use crate::layer::Layer;
use crate::place::FilePlace;
use crate::place::WrittenValue;
use smcp_model::day::Day;
use smcp_model::examination::Remark;
use smcp_model::exception::Exception;
use smcp_model::limits;
use smcp_model::mode::Mode;
use smcp_model::name::FindingCode;
use smcp_model::name::PackageId;
use smcp_model::name::PolicyName;
use smcp_model::near;
use smcp_model::policy::BuiltIn;
use smcp_model::policy::PolicySource;
use smcp_model::policy::PolicySpec;
use smcp_model::registry::Registry;
use smcp_model::text::SafeText;

const ENDED: &str = "exception-ended";
const ENDS_SOON: &str = "exception-ends-soon";
const MATCHES_NOTHING: &str = "exception-matches-nothing";

/// Remarks about exceptions, in the order of the layers and of their entries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExceptionRemarks {
    /// As many as are looked up.
    pub shown: Vec<Remark>,
    /// The number of others.
    pub more: usize,
}

/// A remark about the exception at a place whose line is not yet looked up.
struct RemarkDraft<'a> {
    place: &'a FilePlace,
    code: &'static str,
    message: String,
}

/// Returns the remarks about the exceptions of all layers. `registry` is where packages come from.
pub(crate) fn of(layers: &[Layer], seconds: u64, registry: &Registry) -> ExceptionRemarks {
    let drafts: Vec<_> = layers.iter().flat_map(|layer| of_layer(layer, Day::of(seconds), registry)).collect();
    let most = affordable(drafts.iter().map(|draft| &draft.place.source));
    let more = drafts.len().saturating_sub(most);
    let shown = drafts.into_iter().take(most).map(|RemarkDraft { place, code, message }| Remark {
        code,
        at: place.line(),
        message: SafeText::new(&message),
    });
    ExceptionRemarks { shown: shown.collect(), more }
}

fn of_layer<'l>(layer: &'l Layer, today: Day, registry: &Registry) -> Vec<RemarkDraft<'l>> {
    let mut earlier: BTreeMap<&PackageId, Vec<&WrittenValue<Exception>>> = BTreeMap::new();
    let mut drafts = Vec::new();
    for written in &layer.rules().exceptions {
        let WrittenValue { value: exception, place } = written;
        let name = format!("the exception for `{}`", exception.package);
        let mut note = |code, message| drafts.push(RemarkDraft { place, code, message });
        if let Some((code, end)) = end_of(exception.until, today) {
            note(code, format!("{name} {end}"));
        }
        for Unmatched { whole, why } in unmatched(exception, layer, registry) {
            let part = if whole { "" } else { "a part of " };
            note(MATCHES_NOTHING, format!("{part}{name} has no effect: {why}"));
        }
        let of_package = earlier.entry(&exception.package.id).or_default();
        if let Some(shadow) = of_package.iter().find(|other| other.value.shadows(exception)) {
            let first = shadow.place.key();
            note(MATCHES_NOTHING, format!("{name} has no effect: `{first}` waives all of it before it"));
        }
        of_package.push(written);
    }
    drafts
}

/// Returns what should be known of the last day of an exception.
fn end_of(until: Day, today: Day) -> Option<(&'static str, String)> {
    match today.days_until(until) {
        None => Some((ENDED, format!("ended on {until}, and is ignored"))),
        Some(0) => Some((ENDS_SOON, format!("ends today, {until}, at midnight UTC"))),
        Some(1) => Some((ENDS_SOON, format!("ends tomorrow, {until}"))),
        Some(days) if days <= limits::EXCEPTION_SOON => Some((ENDS_SOON, format!("ends in {days} days, {until}"))),
        Some(_) => None,
    }
}

/// Why an exception, or a part of it, matches nothing.
struct Unmatched {
    /// Whether all of it matches nothing.
    whole: bool,
    why: String,
}

/// Returns why an exception, or a part of it, matches nothing, as far as that can be known without a package.
fn unmatched(exception: &Exception, layer: &Layer, registry: &Registry) -> Vec<Unmatched> {
    let mut reasons = Vec::new();
    if !exception.package.is_bound_to_bytes() && !layer.waives_from(Some(registry)) {
        let why = format!(
            "it names no digest, so it is for packages of registries that this layer trusts, and {registry} is none of \
             them"
        );
        reasons.push(Unmatched { whole: true, why });
    }
    let named: Vec<&PolicySpec> = exception.policies.iter().filter_map(|name| spec_of(name, layer)).collect();
    let disabled: Vec<_> = named.iter().filter(|spec| spec.mode == Mode::Disabled).collect();
    let whole = disabled.len() == named.len();
    let why = |spec: &&&PolicySpec| format!("the policy `{}` is disabled, and finds nothing", spec.name);
    reasons.extend(disabled.iter().map(|spec| Unmatched { whole, why: why(spec) }));
    let unknown: Vec<_> = exception.codes.iter().flatten().filter_map(|code| unknown_code(code, &named)).collect();
    let whole = exception.codes.as_ref().is_some_and(|codes| codes.len() == unknown.len());
    reasons.extend(unknown.into_iter().map(|why| Unmatched { whole, why }));
    reasons
}

fn spec_of<'l>(name: &PolicyName, layer: &'l Layer) -> Option<&'l PolicySpec> {
    layer.policies().iter().map(Arc::as_ref).find(|spec| spec.name == *name)
}

/// Returns why a code matches nothing; `None` when one of the policies may report it. Only the built-in ones are known.
fn unknown_code(code: &FindingCode, named: &[&PolicySpec]) -> Option<String> {
    let mut reported = Vec::new();
    for spec in named {
        match &spec.source {
            PolicySource::BuiltIn(which) => reported.extend(BuiltIn::violation_codes(*which)),
            PolicySource::File(_) | PolicySource::Remote(_) => return None,
        }
    }
    if reported.contains(&code.as_str()) {
        return None;
    }
    let meant = near::nearest(code.as_str(), reported.iter().copied());
    let meant = meant.map(|meant| format!("; did you mean `{meant}`?")).unwrap_or_default();
    Some(format!(
        "the policies that it names report no violation `{code}`{meant} (they report: {})",
        reported.join(", ")
    ))
}
