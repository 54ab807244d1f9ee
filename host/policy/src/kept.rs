//! What is kept of a component: its code, and what it answered.
//!
//! The answers of `describe` and `check-settings` are functions of the component and the settings (spec section 2), so
//! they are kept with the code, and asked for once. A store knows none of this: it keeps bytes.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Deserialize;
use serde::Serialize;

use crate::builtin;
use crate::builtin::BuiltInDescription;
use crate::contract::Description;
use crate::contract::SettingsSchema;
use crate::machine_code::MachineCode;
use smcp_model::digest::Digest;
use smcp_model::limits;
use smcp_model::limits::parts;
use smcp_model::mode::OnWarn;
use smcp_model::policy::BuiltIn;
use smcp_model::policy::LayerName;
use smcp_model::text::SafeText;
use smcp_model::verdict::Fault;
use smcp_model::verdict::FaultKind;
use smcp_model::verdict::SettingsProblem;

/// The version of the rules by which a component is checked before it is compiled. A store keeps nothing from one version
/// to the next.
pub(crate) const RULES: &str = concat!(env!("CARGO_PKG_VERSION"), "/5");

/// Keeps compiled code from one process to the next.
///
/// What it returns is run as native code: an implementation has to know that it was given to
/// [`keep`](Self::keep) by this crate, and is unchanged since.
pub trait CodeStore: Send + Sync {
    /// Returns what is kept of the component with this digest, for a policy of `layer`; `None` when nothing is, or it
    /// can't be trusted.
    fn find(&self, digest: Digest, layer: LayerName) -> Option<Kept>;

    /// Keeps it, for the next process. It may fail: then the next one compiles again.
    fn keep(&self, digest: Digest, kept: &Kept);
}

impl<S: CodeStore + ?Sized> CodeStore for Arc<S> {
    fn find(&self, digest: Digest, layer: LayerName) -> Option<Kept> {
        (**self).find(digest, layer)
    }

    fn keep(&self, digest: Digest, kept: &Kept) {
        (**self).keep(digest, kept);
    }
}

/// What is kept of one component.
#[derive(Debug, Clone)]
pub struct Kept {
    /// Its code; `None` when it can't be compiled.
    pub code: Option<MachineCode>,
    /// What else is known of it: text that only this crate reads.
    pub notes: Arc<str>,
}

/// What is known of a component besides its code.
#[derive(Debug, Default, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Notes {
    /// Why it can't be compiled.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    refused: Option<KeptFault>,
    /// The number of its globals.
    #[serde(default)]
    globals: usize,
    /// The answer of `describe`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    description: Option<Described>,
    /// The answers of `check-settings`, by the digest of the settings; `None` where they are accepted.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    settings: BTreeMap<Digest, Option<KeptFault>>,
}

/// A fault that is a function of its inputs.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct KeptFault {
    message: SafeText,
    remedy: Option<SafeText>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    settings: Vec<SettingsProblem>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Described {
    name: String,
    version: String,
    summary: SafeText,
    settings_schema: SettingsSchema,
    on_warn: OnWarn,
}

impl Notes {
    /// The notes about a component that can't be compiled.
    pub(crate) fn refused(fault: &Fault) -> Self {
        Self { refused: Some(KeptFault::from(fault)), ..Self::default() }
    }

    /// The notes about a component with so many globals, of which nothing else is known.
    pub(crate) fn of_globals(globals: usize) -> Self {
        Self { globals, ..Self::default() }
    }

    /// The memory that its globals take, bytes: it counts as linear memory does, in whole pages (spec section 8).
    pub(crate) fn memory_of_globals(&self) -> usize {
        let bytes = self.globals.saturating_mul(parts::GLOBAL_SIZE);
        bytes.saturating_sub(bytes.checked_rem(parts::PAGE).unwrap_or_default())
    }

    /// The notes about a policy of this crate.
    pub(crate) fn embedded(policy: BuiltIn) -> Self {
        let BuiltInDescription { version, summary, settings_schema, on_warn } = builtin::description(policy);
        let description = Described {
            name: policy.as_str().to_owned(),
            version: version.to_owned(),
            summary: SafeText::new(summary),
            settings_schema: SettingsSchema::from(settings_schema.to_owned()),
            on_warn,
        };
        Self { description: Some(description), ..Self::default() }
    }

    /// Reads kept notes; `None` when they are not such.
    pub(crate) fn read(text: &str) -> Option<Self> {
        serde_json::from_str(text).ok()
    }

    /// The text that is kept.
    pub(crate) fn text(&self) -> Option<String> {
        serde_json::to_string(self).ok()
    }

    /// The fault of a component that can't be compiled.
    pub(crate) fn refusal(&self) -> Option<Fault> {
        self.refused.as_ref().map(|refused| refused.fault(FaultKind::Load))
    }

    /// The component's description of itself.
    pub(crate) fn description(&self) -> Option<Description> {
        let Described { name, version, summary, settings_schema, on_warn } = self.description.clone()?;
        let (name, version) = (name.parse().ok()?, semver::Version::parse(&version).ok()?);
        Some(Description { name, version, summary, settings_schema, on_warn })
    }

    /// Notes the component's description of itself.
    pub(crate) fn describe(&mut self, description: &Description) {
        let Description { name, version, summary, settings_schema, on_warn } = description.clone();
        let (name, version) = (name.to_string(), version.to_string());
        self.description = Some(Described { name, version, summary, settings_schema, on_warn });
    }

    /// What the component said of settings with this digest; `None` when it was not asked.
    pub(crate) fn checked(&self, settings: &Digest) -> Option<Result<(), Fault>> {
        let answer = self.settings.get(settings)?;
        Some(answer.as_ref().map_or(Ok(()), |refused| Err(refused.fault(FaultKind::Settings))))
    }

    /// Notes what the component said of settings. Returns whether it is an answer, which a fault of another kind is
    /// not.
    pub(crate) fn check(&mut self, settings: Digest, answer: &Result<(), Fault>) -> bool {
        let noted = match answer {
            Ok(()) => None,
            Err(fault) if fault.kind == FaultKind::Settings => Some(KeptFault::from(fault)),
            Err(_) => return false,
        };
        if self.settings.len() >= limits::compiling::KEPT_SETTINGS {
            self.settings.clear();
        }
        self.settings.insert(settings, noted);
        true
    }
}

impl From<&Fault> for KeptFault {
    fn from(fault: &Fault) -> Self {
        Self { message: fault.message.clone(), remedy: fault.remedy.clone(), settings: fault.settings.clone() }
    }
}

impl KeptFault {
    fn fault(&self, kind: FaultKind) -> Fault {
        Fault { kind, message: self.message.clone(), remedy: self.remedy.clone(), settings: self.settings.clone() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_noted_is_read_back() {
        let description = Description {
            name: "no-network".parse().unwrap(),
            version: "1.2.3-rc.1+x".parse().unwrap(),
            summary: SafeText::new("asks \u{202e} nobody"),
            settings_schema: SettingsSchema::new(r#"{"z": 1, "a": {"type": "string"}}"#.to_owned()).unwrap(),
            on_warn: OnWarn::Confirm,
        };
        let (good, bad, other) = (Digest::of(b"good"), Digest::of(b"bad"), Digest::of(b"other"));
        let problem = SettingsProblem { path: "/allow".into(), message: "expected a list\u{7}".into() };
        let refused = Fault::new(FaultKind::Settings, "/allow: expected a list\u{7}").remedy("mend it");
        let refused = Fault { settings: vec![problem], ..refused };
        let mut notes = Notes::default();
        notes.describe(&description);
        assert!(notes.check(good, &Ok(())) && notes.check(bad, &Err(refused.clone())));
        for kind in FaultKind::ALL.into_iter().filter(|kind| *kind != FaultKind::Settings) {
            assert!(!notes.check(other, &Err(Fault::new(kind, "x"))), "{kind:?} is no answer");
        }
        let read = Notes::read(&notes.text().unwrap()).unwrap();
        assert_eq!(format!("{:?}", read.description().unwrap()), format!("{description:?}"));
        assert_eq!(read.checked(&good), Some(Ok(())));
        assert_eq!(read.checked(&bad), Some(Err(refused)));
        assert_eq!(read.checked(&other), None);
        assert_eq!(read.refusal(), None);
    }

    #[test]
    fn a_refusal_is_a_fault_of_loading() {
        let fault = Fault::new(FaultKind::Load, "it does not compile: \u{1b}[2J").remedy("build it again");
        let read = Notes::read(&Notes::refused(&fault).text().unwrap()).unwrap();
        assert_eq!(read.refusal(), Some(fault));
        for text in ["", "{\"unknown\": 1}", "{\"settings\": {\"x\": null}}", "{\"refused\": {}}"] {
            assert!(Notes::read(text).is_none(), "{text}");
        }
    }

    #[test]
    fn answers_are_bounded() {
        let mut notes = Notes::default();
        for number in 0..=limits::compiling::KEPT_SETTINGS {
            notes.check(Digest::of(&number.to_le_bytes()), &Ok(()));
        }
        assert_eq!(notes.settings.len(), 1);
    }
}
