//! The three components inside the binary, and what they are.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering;

use crate::machine_code::CodeImage;
use smcp_model::digest::Digest;
use smcp_model::policy::BuiltIn;

/// A component that was compiled when this program was built.
#[derive(Debug, Clone, Copy)]
pub(super) struct Embedded {
    /// The compiled code, made by our own build script. It begins at a page.
    pub(super) code: &'static [u8],
    /// Digest of the `.wasm` that it was compiled from.
    pub(super) digest: Digest,
    /// Its description of itself, which our build script asked for, in the form in which answers are kept.
    pub(super) description: &'static str,
}

/// Bytes that begin at a page, so that they can be run where they lie.
#[repr(align(4096))]
struct PageAligned<T: ?Sized>(T);

macro_rules! embedded {
    ($name:literal) => {{
        static CODE: &PageAligned<[u8]> = &PageAligned(*include_bytes!(concat!(env!("OUT_DIR"), "/", $name, ".aot")));
        Embedded {
            code: &CODE.0,
            digest: Digest::from_sha256(*include_bytes!(concat!(env!("OUT_DIR"), "/", $name, ".sha256"))),
            description: include_str!(concat!(env!("OUT_DIR"), "/", $name, ".json")),
        }
    }};
}

/// The embedded component of a built-in policy.
pub(super) const fn embedded(policy: BuiltIn) -> Embedded {
    match policy {
        BuiltIn::Origin => embedded!("origin"),
        BuiltIn::Certification => embedded!("certification"),
        BuiltIn::Score => embedded!("score"),
    }
}

/// Whether the code of a component is in use where it lies. The runtime runs one place for one engine at a time; another
/// host of the same process gets a copy.
static IN_USE: [AtomicBool; BuiltIn::ALL.len()] = [const { AtomicBool::new(false) }; BuiltIn::ALL.len()];

/// The code of a component in the program's own memory, for one user.
struct InPlace {
    code: &'static [u8],
    in_use: &'static AtomicBool,
}

impl CodeImage for InPlace {
    fn bytes(&self) -> &[u8] {
        self.code
    }
}

impl Drop for InPlace {
    fn drop(&mut self) {
        self.in_use.store(false, Ordering::SeqCst);
    }
}

/// The code of a built-in policy: where it lies, unless it is in use there.
pub(super) fn image(policy: BuiltIn) -> Result<Arc<dyn CodeImage>, &'static [u8]> {
    let code = embedded(policy).code;
    let place = IN_USE.iter().zip(BuiltIn::ALL).find(|(_, known)| *known == policy);
    match place.filter(|(in_use, _)| !in_use.swap(true, Ordering::SeqCst)) {
        Some((in_use, _)) => Ok(Arc::new(InPlace { code, in_use })),
        None => Err(code),
    }
}
