//! What confines a server, in the words for the user and for the model.
//!
//! Both sentences are here, so that they change together.

use smcp_model::confinement::Confinement;
use smcp_model::confinement::ConfinementState;

/// For the user who starts it, after the word `sandbox`.
pub(crate) fn for_the_user(confinement: Option<&Confinement>) -> String {
    match confinement {
        Some(Confinement { state: ConfinementState::Full, .. }) => "full: nothing but what it asks for".to_owned(),
        Some(partial @ Confinement { state: ConfinementState::Partial, .. }) => partial.to_string(),
        Some(Confinement { state: ConfinementState::None, .. }) | None => "none: it runs with your rights".to_owned(),
    }
}

/// For the model: a whole sentence.
pub(crate) fn for_the_model(confinement: Option<&Confinement>) -> String {
    match confinement {
        Some(Confinement { state: ConfinementState::Full, .. }) => {
            "It is sandboxed: it can do nothing but what its manifest asks for.".to_owned()
        }
        Some(partial @ Confinement { state: ConfinementState::Partial, .. }) => {
            format!("It is sandboxed in part ({}).", partial.explained())
        }
        Some(Confinement { state: ConfinementState::None, .. }) | None => {
            "It is not sandboxed: it runs with the user's rights.".to_owned()
        }
    }
}
