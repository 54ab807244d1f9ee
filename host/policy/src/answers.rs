//! Answers of the components inside this crate, kept between processes.
//!
//! Their code is part of the program, and so is what they say of themselves. Their answers about settings are kept, for
//! all three in one entry of the store.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::OnceLock;

use crate::builtin;
use crate::compiled::Code;
use crate::compiled::Known;
use crate::host::Runtime;
use crate::kept::Kept;
use crate::kept::Notes;
use smcp_model::digest::Digest;
use smcp_model::digest::Hasher;
use smcp_model::policy::BuiltIn;
use smcp_model::policy::LayerName;

/// The code of the components inside this crate, once it is loaded: every layer has a policy of each.
#[derive(Default)]
pub(crate) struct EmbeddedCode {
    loaded: [OnceLock<Arc<Code>>; BuiltIn::ALL.len()],
    /// What they answered in earlier processes, by name.
    answered: OnceLock<BTreeMap<String, Notes>>,
}

impl EmbeddedCode {
    /// The place of one component's code.
    pub(crate) fn of(&self, policy: BuiltIn) -> Option<&OnceLock<Arc<Code>>> {
        self.loaded.iter().zip(BuiltIn::ALL).find(|(_, known)| *known == policy).map(|(loaded, _)| loaded)
    }
}

/// Stands for all components inside this crate.
fn key() -> Digest {
    let mut all = Hasher::default();
    BuiltIn::ALL.into_iter().for_each(|policy| all.update(builtin::embedded(policy).digest.as_bytes()));
    all.finish()
}

impl Runtime {
    /// What is known of a component inside this crate before it is called.
    pub(crate) fn known_of(&self, policy: BuiltIn) -> Known {
        let kept = || {
            let kept = self.store.as_ref()?.find(key(), LayerName::User)?;
            serde_json::from_str(&kept.notes).ok()
        };
        let answered = self.embedded.answered.get_or_init(|| kept().unwrap_or_default()).get(policy.as_str());
        let notes = Notes::embedded(builtin::embedded(policy).description, answered.cloned());
        Known { notes, ..Known::default() }
    }

    /// Keeps what the components inside this crate have answered in this process and before, if some of it is new.
    pub(crate) fn keep_answers(&self) {
        let Some(store) = &self.store else { return };
        if !self.embedded.loaded.iter().filter_map(OnceLock::get).any(|code| code.known().changed) {
            return;
        }
        let mut answered = self.embedded.answered.get().cloned().unwrap_or_default();
        for (loaded, policy) in self.embedded.loaded.iter().zip(BuiltIn::ALL) {
            if let Some(code) = loaded.get() {
                let mut known = code.known();
                known.changed = false;
                answered.insert(policy.as_str().to_owned(), known.notes.answers());
            }
        }
        if let Ok(notes) = serde_json::to_string(&answered) {
            store.keep_answers(key(), &Kept { code: None, notes: notes.into() });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::component::Component;
    use crate::host::PolicyHost;
    use smcp_model::limits::PolicyLimits;

    /// Our build script asked them through another interface of the runtime.
    #[test]
    fn what_the_build_was_told_is_what_the_components_say() {
        let host = PolicyHost::new().unwrap();
        let files: [(BuiltIn, &[u8]); 3] = [
            (BuiltIn::Origin, include_bytes!("../../../builtin-policies/dist/origin.wasm")),
            (BuiltIn::Certification, include_bytes!("../../../builtin-policies/dist/certification.wasm")),
            (BuiltIn::Score, include_bytes!("../../../builtin-policies/dist/score.wasm")),
        ];
        assert_eq!(files.map(|(policy, _)| policy), BuiltIn::ALL);
        for (policy, file) in files {
            let asked = host.describe(&Component::new(file.to_vec()), &PolicyLimits::DEFAULT).unwrap();
            let noted = Notes::embedded(builtin::embedded(policy).description, None).description().unwrap();
            assert_eq!(format!("{noted:?}"), format!("{asked:?}"));
            assert_eq!(asked.name.as_str(), policy.as_str());
        }
    }

    /// The runtime runs one place for one engine: a second host has a copy, and a third one the place again.
    #[test]
    fn hosts_take_turns_with_the_code_in_the_program() {
        let hosts: Vec<_> = (0..2).map(|_| PolicyHost::new().unwrap()).collect();
        let describe = |host: &PolicyHost| {
            BuiltIn::ALL.map(|policy| host.describe(&Component::built_in(policy), &PolicyLimits::DEFAULT).unwrap().name)
        };
        assert_eq!(describe(&hosts[0]), describe(&hosts[1]));
        drop(hosts);
        assert_eq!(describe(&PolicyHost::new().unwrap()), BuiltIn::ALL.map(|policy| policy.as_str().parse().unwrap()));
    }
}
