//! Messages for a system that has too little address space or memory.

use nix::sys::resource::RLIM_INFINITY;
use nix::sys::resource::Resource;
use nix::sys::resource::getrlimit;
use rustix::io::Errno;

use smcp_model::limits;
use smcp_model::verdict::Fault;
use smcp_model::verdict::FaultKind;

/// The remedy for a limit on address space.
pub(super) const RAISE: &str = "raise the limit before smcp starts, in the shell or the service that starts it";

/// Returns a message when the address space is limited (`ulimit -v`) to less than smcp needs, otherwise `None`.
pub fn cramped() -> Option<String> {
    limit().filter(|limit| *limit < limits::ADDRESS_SPACE).map(limit_message)
}

/// Whether the address space is limited at all.
pub(super) fn is_limited() -> bool {
    limit().is_some()
}

/// The limit on this process's address space, bytes.
fn limit() -> Option<u64> {
    limit_of(Resource::RLIMIT_AS)
}

fn limit_of(resource: Resource) -> Option<u64> {
    let (soft, _) = getrlimit(resource).ok()?;
    (soft != RLIM_INFINITY).then_some(soft)
}

/// The message about a limit in bytes and the need; both are shown in KiB, as shells count them.
fn limit_message(limit: u64) -> String {
    let (found, needed) = (limit / 1024, limits::ADDRESS_SPACE / 1024);
    format!("`ulimit -v` is {found}; smcp needs {needed} (KiB) of address space, and more for large policies")
}

/// Whether the error comes from the system, not from a limit of smcp.
pub(super) fn is_systems(error: &wasmtime::Error) -> bool {
    error.chain().any(|cause| cause.is::<Errno>() || cause.is::<std::io::Error>())
}

/// The fault of a policy for which the system had no room for `what`.
pub(super) fn fault(kind: FaultKind, what: &str, cause: impl std::fmt::Display) -> Fault {
    match (limit(), limit_of(Resource::RLIMIT_FSIZE)) {
        (Some(limit), _) => {
            Fault::new(kind, format!("the system gives no room for {what}: {}", limit_message(limit))).remedy(RAISE)
        }
        // The runtime keeps the initial contents of a memory in an unnamed file.
        (None, Some(limit)) => {
            Fault::new(kind, format!("the system gives no room for {what}: {cause}")).remedy(format!(
                "`ulimit -f` is {}: raise it before smcp starts, or free some memory of this machine",
                limit / 1024
            ))
        }
        (None, None) => Fault::new(kind, format!("the system gives no room for {what}: {cause}"))
            .remedy("free some memory of this machine, and try again"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_is_named_with_what_is_needed() {
        let message = limit_message(1_000_000 * 1024);
        assert!(message.starts_with("`ulimit -v` is 1000000; smcp needs 524288 (KiB) of address space"), "{message}");
    }

    #[test]
    fn errors_of_the_system_are_recognised_by_their_type() {
        let refused = wasmtime::Error::from(Errno::NOMEM).context("a table");
        assert!(is_systems(&refused));
        assert!(is_systems(&wasmtime::Error::from(std::io::Error::other("no"))));
        assert!(!is_systems(&wasmtime::Error::msg("Cannot allocate memory (os error 12)")));
    }
}
