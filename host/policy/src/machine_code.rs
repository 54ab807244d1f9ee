//! Compiled code: who vouches for it, and the memory that it is in.
//!
//! Loading it is as dangerous as running it, so each of its constructors says why its bytes are our own.

use std::fmt;
use std::sync::Arc;

use crate::builtin;

/// Compiled code. Loading it is as dangerous as running it, so it is made by a compiler of this crate, or by a caller who
/// vouches for its bytes. Cheap to clone.
#[derive(Clone)]
pub struct MachineCode(Held); // INVARIANT: made by `InProcess`, our own build script, or vouched for.

#[derive(Clone)]
enum Held {
    Embedded(&'static [u8]),
    Owned(Arc<Vec<u8>>),
    Image(Arc<dyn CodeImage>),
}

/// Memory with compiled code in it, which is run where it lies. It is released when the last user of the code is gone.
pub trait CodeImage: Send + Sync {
    /// The code.
    fn bytes(&self) -> &[u8];
}

impl MachineCode {
    pub(crate) fn embedded() -> Self {
        Self(builtin::image().map_or_else(Held::Embedded, Held::Image))
    }

    pub(crate) fn compiled(bytes: Vec<u8>) -> Self {
        Self(Held::Owned(Arc::new(bytes)))
    }

    /// Takes code that was compiled elsewhere, such as in a child process.
    ///
    /// # Safety
    /// `bytes` must be what [`as_bytes`](Self::as_bytes) returned for code of a compiler of this crate, unchanged: they
    /// are loaded as native code. A store has to prove that with a MAC, or with an owner that no other user can be.
    #[expect(unsafe_code, reason = "the caller vouches for what is loaded as native code")]
    pub unsafe fn from_vouched(bytes: Vec<u8>) -> Self {
        Self::compiled(bytes)
    }

    /// Takes code that lies in memory of the caller's, and is run there, without a copy.
    ///
    /// # Safety
    /// Its bytes must be such as [`from_vouched`](Self::from_vouched) takes. [`CodeImage::bytes`] must return the same
    /// memory each time, which begins at a page and whose pages have nothing else in them that may not be executed.
    /// Nothing may write to it while the image exists; this crate makes parts of it executable. It may be loaded by one
    /// host at a time, once: a store maps its file anew for each search.
    #[expect(unsafe_code, reason = "the caller vouches for what is run as native code")]
    pub unsafe fn from_image(image: Arc<dyn CodeImage>) -> Self {
        Self(Held::Image(image))
    }

    /// The bytes, to be sent to another process or kept.
    pub fn as_bytes(&self) -> &[u8] {
        match &self.0 {
            Held::Embedded(bytes) => bytes,
            Held::Owned(bytes) => bytes,
            Held::Image(image) => image.bytes(),
        }
    }

    /// The memory of the caller's that it lies in, if it does.
    pub(crate) const fn image(&self) -> Option<&Arc<dyn CodeImage>> {
        match &self.0 {
            Held::Image(image) => Some(image),
            Held::Embedded(_) | Held::Owned(_) => None,
        }
    }
}

impl fmt::Debug for MachineCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MachineCode").field("size", &self.as_bytes().len()).finish()
    }
}
