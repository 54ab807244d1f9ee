//! The faults of work whose thread can't do it.

use crate::room;
use smcp_model::limits;
use smcp_model::verdict::Fault;
use smcp_model::verdict::FaultKind;

/// The fault of a call that was not made, since no further thread may be given up.
pub(super) fn too_many_abandoned() -> Fault {
    let most = limits::ABANDONED_THREADS;
    let message = format!("it was not called: {most} calls into policies did not come back, and still run");
    Fault::new(FaultKind::Limit, message)
        .remedy("end this process: they end with it; then disable the policies that hang")
}

/// The fault of work that panicked.
pub(super) fn panicked() -> Fault {
    // The runtime panics when the system gives it no room for the stack that signals are handled on.
    if let Some(limit) = room::cramped() {
        return Fault::new(FaultKind::Panic, format!("smcp itself failed while evaluating the policy: {limit}"))
            .remedy(room::RAISE);
    }
    Fault::new(FaultKind::Panic, "smcp itself failed while evaluating the policy")
        .remedy("please report it, with the policy's file; SECURITY.md says where")
}
