//! The machine code in use, shared so that the same bytes are compiled once.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::MutexGuard;
use std::sync::OnceLock;
use std::sync::PoisonError;
use std::sync::Weak;

use wasmtime::component;

use crate::kept::Notes;
use crate::machine_code::CodeImage;
use crate::machine_code::MachineCode;
use smcp_model::digest::Digest;
use smcp_model::policy::BuiltIn;
use smcp_model::policy::LayerName;
use smcp_model::verdict::Fault;

/// One component's code, made by the first caller while the others wait.
pub(crate) type Slot = OnceLock<Result<Arc<Code>, Fault>>;

/// Compiled code by the digest of its bytes, for each layer, since each looks elsewhere for it. An entry lives as long as
/// a policy uses it, and a fault as long as a caller waits for it; so nothing unused is kept.
#[derive(Default)]
pub(crate) struct Compiled {
    slots: Mutex<BTreeMap<(Digest, LayerName), Weak<Slot>>>,
}

/// Code that can be linked, and what is known of its component.
pub(crate) struct Code {
    pub(crate) component: component::Component,
    /// The same for the pool, when there is one and the component fits into it.
    pub(crate) pooled: Option<component::Component>,
    /// The memory in which it runs, if that is not the runtime's own. Released after the component.
    pub(crate) image: Option<Arc<dyn CodeImage>>,
    /// The policy of the program that it is; `None` when it is a component from elsewhere.
    pub(crate) built_in: Option<BuiltIn>,
    known: Mutex<Known>,
}

/// What is known of a component, and what of it is not in the store yet.
#[derive(Default)]
pub(crate) struct Known {
    pub(crate) notes: Notes,
    /// The code, when the store does not have it.
    pub(crate) unsaved: Option<MachineCode>,
    /// Whether there are notes that the store does not have.
    pub(crate) changed: bool,
}

impl Code {
    /// Code that runs in the runtime's own memory, or in `image`.
    pub(crate) fn new(component: component::Component, image: Option<Arc<dyn CodeImage>>, known: Known) -> Self {
        Self { component, pooled: None, image, built_in: None, known: Mutex::new(known) }
    }

    /// The same, with code for the pool.
    pub(crate) fn with_pooled(mut self, pooled: Option<component::Component>) -> Self {
        self.pooled = pooled;
        self
    }

    /// The same component, as one of the policies of the program.
    pub(crate) fn as_built_in(&self, policy: BuiltIn, known: Known) -> Self {
        let code = Self::new(self.component.clone(), self.image.clone(), known).with_pooled(self.pooled.clone());
        Self { built_in: Some(policy), ..code }
    }

    /// What is known of the component.
    pub(crate) fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Code").finish_non_exhaustive()
    }
}

impl Compiled {
    /// The slot of the bytes with this digest. While it exists, the same bytes are not compiled again.
    pub(crate) fn slot(&self, digest: Digest, layer: LayerName) -> Arc<Slot> {
        let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(slot) = slots.get(&(digest, layer)).and_then(Weak::upgrade) {
            return slot;
        }
        slots.retain(|_, slot| slot.strong_count() > 0);
        let slot = Arc::default();
        slots.insert((digest, layer), Arc::downgrade(&slot));
        slot
    }
}
