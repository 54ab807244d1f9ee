//! The code of the components inside this crate, once it is loaded.

use std::sync::Arc;
use std::sync::OnceLock;

use crate::builtin;
use crate::compiled::Code;
use crate::compiled::Known;
use crate::kept::Notes;
use crate::load;
use crate::machine_code::MachineCode;
use crate::site::Sites;
use smcp_model::policy::BuiltIn;
use smcp_model::verdict::Fault;

/// The loaded code of each component: every layer has a policy of it.
#[derive(Default)]
pub(crate) struct EmbeddedCode {
    loaded: [OnceLock<Arc<Code>>; BuiltIn::ALL.len()],
}

impl EmbeddedCode {
    /// Returns the code of a component; it is loaded once for all policies.
    ///
    /// # Errors
    /// [`FaultKind::Load`](smcp_model::verdict::FaultKind::Load) when it does not load.
    pub(crate) fn load(&self, sites: &Sites, policy: BuiltIn) -> Result<Arc<Code>, Fault> {
        let loaded = self.of(policy);
        if let Some(code) = loaded.and_then(OnceLock::get) {
            return Ok(Arc::clone(code));
        }
        let code = Arc::new(load::deserialize(sites, &MachineCode::embedded(policy), known_of(policy))?.embedded());
        // Another thread may have been quicker, and has the same.
        Ok(loaded.map_or(code.clone(), |loaded| Arc::clone(loaded.get_or_init(|| code))))
    }

    /// The place of one component's code.
    pub(crate) fn of(&self, policy: BuiltIn) -> Option<&OnceLock<Arc<Code>>> {
        self.loaded.iter().zip(BuiltIn::ALL).find(|(_, known)| *known == policy).map(|(loaded, _)| loaded)
    }
}

/// What is known of a component inside this crate before it is called.
fn known_of(policy: BuiltIn) -> Known {
    Known { notes: Notes::embedded(builtin::embedded(policy).description), ..Known::default() }
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
            let noted = Notes::embedded(builtin::embedded(policy).description).description().unwrap();
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
