//! A policy joined with its component, whose digest matches the pin.

use std::sync::Arc;

use crate::component::Component;
use crate::component::Unreadable;
use smcp_model::digest::Digest;
use smcp_model::mode::Mode;
use smcp_model::name::PolicyName;
use smcp_model::policy::LayerName;
use smcp_model::policy::PolicySpec;

/// A policy's component is not the one that its configuration pins.
#[derive(Debug, Clone, thiserror::Error)]
#[error(
    "policy `{name}`: the component {origin} {}, but the configuration pins {expected}\n  \
     if the change is meant, put the new digest into the configuration; until then nothing runs",
    told(found)
)]
pub struct PinMismatch {
    name: PolicyName,
    origin: String,
    expected: Digest,
    /// The digest that it has, or why it can have none.
    found: Result<Digest, String>,
}

fn told(found: &Result<Digest, String>) -> String {
    found.as_ref().map_or_else(String::clone, |digest| format!("has the digest {digest}"))
}

impl PinMismatch {
    /// The mismatch of a policy whose component has the digest `found`; `None` when that is the pinned one, or none is.
    pub fn of(spec: &PolicySpec, found: Digest) -> Option<Self> {
        let expected = spec.pin.filter(|expected| *expected != found)?;
        Some(Self { name: spec.name.clone(), origin: spec.source.to_string(), expected, found: Ok(found) })
    }

    /// The digest that the component has; `None` when it was not read as a whole.
    pub fn found(&self) -> Option<Digest> {
        self.found.as_ref().ok().copied()
    }

    /// The digest that the component should have.
    pub const fn expected(&self) -> Digest {
        self.expected
    }
}

/// A policy of the configuration together with its component.
#[derive(Debug, Clone)]
pub struct Bound {
    pub(crate) spec: Arc<PolicySpec>,
    // INVARIANT: has the digest that `spec` pins, or could not be read, or the policy is disabled.
    pub(crate) component: Result<Component, Unreadable>,
}

impl Bound {
    /// Joins a policy with its component, and compares the pin with the bytes that will be loaded.
    ///
    /// A component that could not be read is a fault of its policy, in the policy's mode (spec section 1). A file that
    /// exists but can't be the pinned one, such as one that is too large, is a mismatch.
    ///
    /// # Errors
    /// [`PinMismatch`], unless the mode is `disabled`.
    pub fn new(
        spec: impl Into<Arc<PolicySpec>>,
        component: Result<Component, Unreadable>,
    ) -> Result<Self, PinMismatch> {
        let spec = spec.into();
        if let (Some(expected), Mode::Strict | Mode::Warn) = (spec.pin, spec.mode)
            && let Some(found) = difference(&component, expected)
        {
            let (name, origin) = (spec.name.clone(), spec.source.to_string());
            return Err(PinMismatch { name, origin, expected, found });
        }
        Ok(Self { spec, component })
    }
}

impl Bound {
    /// Joins a policy without a pin with a component that the user named.
    pub fn unpinned(spec: PolicySpec, component: Component) -> Self {
        Self { spec: Arc::new(PolicySpec { pin: None, ..spec }), component: Ok(component) }
    }

    /// The layer that configures the policy.
    pub fn layer(&self) -> LayerName {
        self.spec.layer
    }
}

/// Returns what a component has in place of the pinned digest; `None` when no difference is known.
fn difference(component: &Result<Component, Unreadable>, pin: Digest) -> Option<Result<Digest, String>> {
    match component {
        Ok(component) => Some(component.digest()).filter(|found| *found != pin).map(Ok),
        Err(Unreadable::TooLarge { limit, .. }) => Some(Err(format!("has more than {limit} bytes"))),
        Err(Unreadable::NotAFile(_)) => Some(Err("is not a regular file".to_owned())),
        Err(Unreadable::Disabled | Unreadable::Failed(_) | Unreadable::NotFetched(_)) => None,
    }
}
