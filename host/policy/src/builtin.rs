//! The component inside the binary, and the three policies that are in it.
//!
//! Three components would have most of their code, and all of their types, three times, and every start pays for each
//! (docs/decisions/0069). Each call has an instance of its own here too, which asks the host which of the policies it is.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering;

use wasmtime::StoreContextMut;
use wasmtime::component::ComponentType;
use wasmtime::component::Lift;
use wasmtime::component::Linker;
use wasmtime::component::Lower;

use crate::machine_code::CodeImage;
use crate::store::Guest;
use smcp_model::digest::Digest;
use smcp_model::mode::OnWarn;
use smcp_model::policy::BuiltIn;

/// Digest of the `.wasm` that the code was compiled from.
pub(super) const DIGEST: Digest = Digest::from_sha256(*include_bytes!(concat!(env!("OUT_DIR"), "/built_ins.sha256")));

/// The interface that the component imports besides that of every policy (`builtin-policies/all/wit`).
const SELECTION: &str = "smcp:built-ins/selection@0.1.0";

/// Bytes that begin at a page, so that they can be run where they lie.
#[repr(align(4096))]
struct PageAligned<T: ?Sized>(T);

/// The compiled code, made by our own build script.
static CODE: &PageAligned<[u8]> = &PageAligned(*include_bytes!(concat!(env!("OUT_DIR"), "/built_ins.aot")));

/// Whether the code is in use where it lies. The runtime runs one place for one engine at a time; another host of the same
/// process gets a copy.
static IN_USE: AtomicBool = AtomicBool::new(false);

/// What a policy says of itself.
#[derive(Debug, Clone, Copy)]
pub(super) struct BuiltInDescription {
    pub(super) version: &'static str,
    pub(super) summary: &'static str,
    pub(super) settings_schema: &'static str,
    pub(super) on_warn: OnWarn,
}

/// What a policy says of itself: our build script asked it.
pub(super) const fn description(policy: BuiltIn) -> BuiltInDescription {
    match policy {
        BuiltIn::Origin => include!(concat!(env!("OUT_DIR"), "/origin.in")),
        BuiltIn::Certification => include!(concat!(env!("OUT_DIR"), "/certification.in")),
        BuiltIn::Score => include!(concat!(env!("OUT_DIR"), "/score.in")),
    }
}

/// The answer to an instance that asks which policy it is.
#[derive(Debug, Clone, Copy, ComponentType, Lift, Lower)]
#[component(enum)]
#[repr(u8)]
enum SelectedPolicy {
    #[component(name = "origin")]
    Origin,
    #[component(name = "certification")]
    Certification,
    #[component(name = "score")]
    Score,
}

impl From<BuiltIn> for SelectedPolicy {
    fn from(policy: BuiltIn) -> Self {
        match policy {
            BuiltIn::Origin => Self::Origin,
            BuiltIn::Certification => Self::Certification,
            BuiltIn::Score => Self::Score,
        }
    }
}

/// Defines the import of the component inside the binary. One from elsewhere that imports it is refused before it is
/// compiled, and if it were not, would trap here.
pub(super) fn add_import(linker: &mut Linker<Guest>) -> wasmtime::Result<()> {
    let selected = |store: StoreContextMut<'_, Guest>, (): ()| {
        let policy = store.data().built_in().ok_or_else(|| wasmtime::Error::msg("it is no part of the program"))?;
        Ok((SelectedPolicy::from(policy),))
    };
    linker.instance(SELECTION)?.func_wrap("selected", selected)
}

/// The code in the program's own memory, for one user.
struct InPlace;

impl CodeImage for InPlace {
    fn bytes(&self) -> &[u8] {
        &CODE.0
    }
}

impl Drop for InPlace {
    fn drop(&mut self) {
        IN_USE.store(false, Ordering::SeqCst);
    }
}

/// The code: where it lies, unless it is in use there.
pub(super) fn image() -> Result<Arc<dyn CodeImage>, &'static [u8]> {
    match IN_USE.swap(true, Ordering::SeqCst) {
        true => Err(&CODE.0),
        false => Ok(Arc::new(InPlace)),
    }
}
