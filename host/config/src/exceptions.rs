//! The exceptions of a layer: from entries to values, and what is wrong.
//!
//! `layer_file` reads the entries; `fold` makes the rules of them. An exception belongs to its layer: the policies that
//! it names are those of the layer.

pub(super) mod remarks;

use std::collections::BTreeSet;

use crate::drafts::ConfigProblems;
use crate::keys::exceptions as keys;
use crate::keys::policy;
use crate::layer::Layer;
use crate::layer_file::PolicyValues;
use crate::notice::ConfigNotice;
use crate::place::WrittenValue;
use crate::reader::ConfigReader;
use crate::reader::Fields;
use smcp_model::day::Day;
use smcp_model::exception::Exception;
use smcp_model::exception::PackageScope;
use smcp_model::limits;
use smcp_model::name::FindingCode;
use smcp_model::name::PolicyName;
use smcp_model::near;
use smcp_model::policy::BuiltIn;
use smcp_model::policy::LayerName;
use smcp_model::text::SafeText;

/// One entry of `policy.exceptions`. What is required is `None` only where that is a problem of the file.
#[derive(Debug)]
pub(super) struct ExceptionValues {
    package: Option<WrittenValue<PackageScope>>,
    policies: Option<WrittenValue<Vec<PolicyName>>>,
    codes: Option<WrittenValue<Vec<FindingCode>>>,
    reason: Option<WrittenValue<SafeText>>,
    approved_by: Option<WrittenValue<SafeText>>,
    until: Option<WrittenValue<Day>>,
}

impl ExceptionValues {
    /// Reads every entry under `policy`.
    pub(super) fn read_all(reader: &mut ConfigReader<'_>, policy: &Fields<'_>) -> Vec<WrittenValue<Self>> {
        let entries = reader.entries(policy, &policy::EXCEPTIONS);
        let read = |entry: Fields<'_>| {
            let value = Self {
                package: reader.read(&entry, &keys::PACKAGE),
                policies: reader.read(&entry, &keys::POLICIES),
                codes: reader.read(&entry, &keys::CODES),
                reason: reader.read(&entry, &keys::REASON),
                approved_by: reader.read(&entry, &keys::APPROVED_BY),
                until: reader.read(&entry, &keys::UNTIL),
            };
            WrittenValue { value, place: reader.place(entry.trail()) }
        };
        entries.into_iter().map(read).collect()
    }
}

impl WrittenValue<ExceptionValues> {
    /// Returns the exception of an entry; `None` when something required is missing, which is a problem of the file.
    pub(super) fn exception(self, layer: LayerName) -> Option<WrittenValue<Exception>> {
        let Self { value, place } = self;
        let ExceptionValues { package, policies, codes, reason, approved_by, until } = value;
        let value = Exception {
            layer,
            package: package?.value,
            policies: policies?.value,
            codes: codes.map(|written| written.value),
            reason: reason?.value,
            approved_by: approved_by.map(|written| written.value),
            until: until?.value,
        };
        Some(WrittenValue { value, place })
    }
}

/// Notes a problem for each name of a policy that the layer doesn't have. The nearest names are looked for as long as
/// problems are shown.
pub(super) fn refuse_unknown_policies(values: &PolicyValues, problems: &mut ConfigProblems) {
    let custom = values.custom.iter().filter_map(|entry| entry.value.name.as_ref());
    let mut known: Vec<&str> = BuiltIn::ALL.into_iter().map(BuiltIn::as_str).collect();
    known.extend(custom.map(|written| written.value.as_str()));
    let (names, allowed) = (known.iter().copied().collect::<BTreeSet<_>>(), listed(&known));
    let mut noted = 0_usize;
    for WrittenValue { value, place } in values.exceptions.iter().filter_map(|entry| entry.value.policies.as_ref()) {
        for (index, name) in value.iter().enumerate().filter(|(_, name)| !names.contains(name.as_str())) {
            let place = place.item(index);
            let message = format!("`{}` is `{name}`, and no policy of this layer has that name", place.key());
            let meant = (noted < limits::CONFIG_PROBLEMS).then(|| near::nearest(name.as_str(), known.iter().copied()));
            problems.note_name(&place, message, allowed.clone(), meant.flatten());
            noted = noted.saturating_add(1);
        }
    }
}

/// Returns the first names of a list, and how many others there are.
fn listed(names: &[&str]) -> String {
    let shown = names.iter().take(limits::NAMES_SHOWN).copied().collect::<Vec<_>>().join(", ");
    match names.len().saturating_sub(limits::NAMES_SHOWN) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}

/// Returns a notice about the exceptions of a layer that have ended; `None` when none has.
pub(super) fn ended(layer: &Layer, seconds: u64) -> Option<ConfigNotice> {
    let mut ended = layer.rules().exceptions.iter().filter(|written| written.value.until.is_over(seconds));
    let WrittenValue { value: Exception { package, until, .. }, place } = ended.next()?;
    Some(ConfigNotice::ExceptionEnded {
        at: place.line(),
        package: package.clone(),
        until: *until,
        more: ended.count(),
    })
}
