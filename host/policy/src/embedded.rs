//! The code of the component inside this crate, once it is loaded.

use std::sync::Arc;
use std::sync::OnceLock;

use crate::compiled::Code;
use crate::compiled::Known;
use crate::kept::Notes;
use crate::load;
use crate::machine_code::MachineCode;
use crate::site::Sites;
use smcp_model::policy::BuiltIn;
use smcp_model::verdict::Fault;

/// The loaded code: of the component, and as each of its policies. Every layer has a policy of it.
#[derive(Default)]
pub(crate) struct EmbeddedCode {
    component: OnceLock<Code>,
    policies: [OnceLock<Arc<Code>>; BuiltIn::ALL.len()],
}

impl EmbeddedCode {
    /// Returns the code of a policy; it is loaded once for all of them.
    ///
    /// # Errors
    /// [`FaultKind::Load`](smcp_model::verdict::FaultKind::Load) when it does not load.
    pub(crate) fn load(&self, sites: &Sites, policy: BuiltIn) -> Result<Arc<Code>, Fault> {
        let place = self.of(policy);
        if let Some(code) = place.and_then(OnceLock::get) {
            return Ok(Arc::clone(code));
        }
        let notes = Notes::embedded(policy);
        let code = Arc::new(self.component(sites)?.as_built_in(policy, Known { notes, ..Known::default() }));
        // Another thread may have been quicker, and has the same.
        Ok(place.map_or(code.clone(), |place| Arc::clone(place.get_or_init(|| code))))
    }

    fn component(&self, sites: &Sites) -> Result<&Code, Fault> {
        if let Some(code) = self.component.get() {
            return Ok(code);
        }
        let code = load::deserialize(sites, &MachineCode::embedded(), Known::default())?;
        Ok(self.component.get_or_init(|| code))
    }

    /// The place of one policy's code.
    pub(crate) fn of(&self, policy: BuiltIn) -> Option<&OnceLock<Arc<Code>>> {
        self.policies.iter().zip(BuiltIn::ALL).find(|(_, known)| *known == policy).map(|(place, _)| place)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::component::Component;
    use crate::host::PolicyHost;
    use smcp_model::limits::PolicyLimits;

    /// What the build was told by the component inside, each policy says of itself where it is a component by itself.
    #[test]
    fn what_the_build_was_told_is_what_the_policies_say() {
        let host = PolicyHost::new().unwrap();
        let files: [(BuiltIn, &[u8]); 3] = [
            (BuiltIn::Origin, include_bytes!("../../../builtin-policies/dist/origin.wasm")),
            (BuiltIn::Certification, include_bytes!("../../../builtin-policies/dist/certification.wasm")),
            (BuiltIn::Score, include_bytes!("../../../builtin-policies/dist/score.wasm")),
        ];
        assert_eq!(files.map(|(policy, _)| policy), BuiltIn::ALL);
        for (policy, file) in files {
            let asked = host.describe(&Component::new(file.to_vec()), &PolicyLimits::DEFAULT).unwrap();
            let noted = Notes::embedded(policy).description().unwrap();
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
