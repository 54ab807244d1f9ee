//! The machine code in use, shared so that the same bytes are compiled once.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::OnceLock;
use std::sync::PoisonError;
use std::sync::Weak;

use wasmtime::component;

use smcp_model::digest::Digest;
use smcp_model::verdict::Fault;

/// One component's code, made by the first caller while the others wait.
type Slot = OnceLock<Result<component::Component, Fault>>;

/// Compiled code by the digest of its bytes. An entry lives as long as a policy uses it, and a fault as long as a
/// caller waits for it; so nothing unused is kept.
#[derive(Default)]
pub(crate) struct Compiled {
    slots: Mutex<BTreeMap<Digest, Weak<Slot>>>,
}

/// Code that can be linked. While it exists, the same bytes are not compiled again.
pub(crate) struct CompiledCode {
    pub(crate) component: component::Component,
    _in_use: Option<Arc<Slot>>,
}

impl CompiledCode {
    /// Code that is part of the program, so that it needs no slot.
    pub(crate) const fn embedded(component: component::Component) -> Self {
        Self { component, _in_use: None }
    }
}

impl Compiled {
    /// Returns the code of the bytes with this digest; calls `make` when there is none yet.
    ///
    /// # Errors
    /// Those of `make`, which are not kept.
    pub(crate) fn get_or_make(
        &self,
        digest: Digest,
        make: impl FnOnce() -> Result<component::Component, Fault>,
    ) -> Result<CompiledCode, Fault> {
        let slot = self.slot(digest);
        let component = slot.get_or_init(make).clone()?;
        Ok(CompiledCode { component, _in_use: Some(slot) })
    }

    fn slot(&self, digest: Digest) -> Arc<Slot> {
        let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(slot) = slots.get(&digest).and_then(Weak::upgrade) {
            return slot;
        }
        slots.retain(|_, slot| slot.strong_count() > 0);
        let slot = Arc::default();
        slots.insert(digest, Arc::downgrade(&slot));
        slot
    }
}
