//! The component inside smcp: its three policies, of which each instance is one.
//!
//! Each is a component by itself too, and says the same there: this one only asks its host which of them it is.

use crate::bindings::smcp::built_ins::selection::BuiltIn;
use crate::bindings::smcp::built_ins::selection::selected;
use smcp_policy_certification::CertificationPolicy;
use smcp_policy_origin::OriginPolicy;
use smcp_policy_score::ScorePolicy;
use smcp_policy_sdk::PolicyComponent;
use smcp_policy_sdk::Request;
use smcp_policy_sdk::SettingsProblem;
use smcp_policy_sdk::Verdict;
use smcp_policy_sdk::bindings::exports::smcp::policy::evaluator::Description;
use smcp_policy_sdk::bindings::exports::smcp::policy::evaluator::Guest;

mod bindings {
    wit_bindgen::generate!({ path: "wit", world: "built-ins" });
}

/// The policy that the host has selected.
#[derive(Debug)]
pub struct Selected;

impl Guest for Selected {
    fn describe() -> Description {
        match selected() {
            BuiltIn::Origin => PolicyComponent::<OriginPolicy>::describe(),
            BuiltIn::Certification => PolicyComponent::<CertificationPolicy>::describe(),
            BuiltIn::Score => PolicyComponent::<ScorePolicy>::describe(),
        }
    }

    fn check_settings(settings: String) -> Result<(), Vec<SettingsProblem>> {
        match selected() {
            BuiltIn::Origin => PolicyComponent::<OriginPolicy>::check_settings(settings),
            BuiltIn::Certification => PolicyComponent::<CertificationPolicy>::check_settings(settings),
            BuiltIn::Score => PolicyComponent::<ScorePolicy>::check_settings(settings),
        }
    }

    fn evaluate(request: Request, settings: String) -> Verdict {
        match selected() {
            BuiltIn::Origin => PolicyComponent::<OriginPolicy>::evaluate(request, settings),
            BuiltIn::Certification => PolicyComponent::<CertificationPolicy>::evaluate(request, settings),
            BuiltIn::Score => PolicyComponent::<ScorePolicy>::evaluate(request, settings),
        }
    }
}

#[cfg(target_arch = "wasm32")]
smcp_policy_sdk::bindings::export_component!(Selected with_types_in smcp_policy_sdk::bindings);
