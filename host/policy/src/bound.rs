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
    "policy `{name}`: the component {origin} {found}, but the configuration pins {expected}\n  \
     if the change is meant, put the new digest into the configuration; until then nothing runs"
)]
pub struct PinMismatch {
    name: PolicyName,
    origin: String,
    expected: Digest,
    found: String,
    digest: Option<Digest>,
}

impl PinMismatch {
    /// The mismatch of a policy whose component has the digest `found`; `None` when that is the pinned one, or none is.
    pub fn of(spec: &PolicySpec, found: Digest) -> Option<Self> {
        let expected = spec.pin.filter(|expected| *expected != found)?;
        let (digest, found) = (Some(found), format!("has the digest {found}"));
        Some(Self { name: spec.name.clone(), origin: spec.source.to_string(), expected, found, digest })
    }

    /// The digest that the component has; `None` when it was not read as a whole.
    pub const fn found(&self) -> Option<Digest> {
        self.digest
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
            let digest = component.as_ref().ok().map(Component::digest);
            return Err(PinMismatch { name, origin, expected, found, digest });
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

/// Returns the difference between a component and the pinned one; `None` when none is known.
fn difference(component: &Result<Component, Unreadable>, pin: Digest) -> Option<String> {
    match component {
        Ok(component) => (component.digest() != pin).then(|| format!("has the digest {}", component.digest())),
        Err(Unreadable::TooLarge { limit, .. }) => Some(format!("has more than {limit} bytes")),
        Err(Unreadable::NotAFile(_)) => Some("is not a regular file".to_owned()),
        Err(Unreadable::Disabled | Unreadable::Failed(_) | Unreadable::NotFetched(_)) => None,
    }
}
