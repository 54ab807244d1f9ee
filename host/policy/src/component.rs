//! A component: its bytes, and the digest by which everything else knows it.

use std::fmt;
use std::sync::Arc;

use crate::builtin;
use crate::shape;
use smcp_model::digest::Digest;
use smcp_model::policy::BuiltIn;
use smcp_model::verdict::Fault;
use smcp_model::verdict::FaultKind;

/// A component's bytes and their digest, which is computed once: what was hashed is what is loaded. Cheap to clone.
#[derive(Clone)]
pub struct Component {
    digest: Digest, // INVARIANT: that of `content`.
    content: Content,
}

/// Where a component's code comes from.
#[derive(Clone)]
pub(crate) enum Content {
    /// It was compiled when this crate was built.
    BuiltIn(BuiltIn),
    /// These bytes, which have to be checked and compiled.
    Bytes(Arc<Vec<u8>>),
}

impl Component {
    /// A component from the bytes of its file. Nothing is checked yet: whatever is wrong with them is a fault of the
    /// policy that they are loaded for.
    pub fn new(bytes: Vec<u8>) -> Self {
        Self { digest: Digest::of(&bytes), content: Content::Bytes(Arc::new(bytes)) }
    }

    /// One of the components inside this crate.
    pub const fn built_in(policy: BuiltIn) -> Self {
        Self { digest: builtin::embedded(policy).digest, content: Content::BuiltIn(policy) }
    }

    /// The digest of its bytes; that of the `.wasm` file when it is built in.
    pub const fn digest(&self) -> Digest {
        self.digest
    }

    pub(crate) const fn content(&self) -> &Content {
        &self.content
    }
}

impl fmt::Debug for Component {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Component").field("digest", &self.digest).finish_non_exhaustive()
    }
}

/// Why there are no bytes of a component.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unreadable {
    /// Its policy is disabled, so the file was not read.
    Disabled,
    /// It is longer than `limit` bytes, the most that is read.
    TooLarge {
        /// The most, bytes.
        limit: usize,
        /// How long it is, bytes, when that could be asked.
        size: Option<u64>,
    },
    /// It is a directory, a device or a pipe; its path.
    NotAFile(String),
    /// The system refused; its path and the reason.
    Failed(String),
}

impl Unreadable {
    /// The fault of a policy whose component could not be read.
    pub fn fault(&self) -> Fault {
        let fault = |message: String, remedy: &str| Fault::new(FaultKind::Load, message).remedy(remedy);
        match self {
            Self::Disabled => fault("it was not read: its policy is disabled".to_owned(), "enable the policy"),
            Self::TooLarge { limit, size } => shape::too_large(*size, *limit),
            Self::NotAFile(path) => fault(
                format!("it can't be read: {path}: it is not a regular file"),
                "name the component's file itself as `source` in the configuration",
            ),
            Self::Failed(why) => fault(
                format!("it can't be read: {why}"),
                "check `source` in the configuration: a relative path starts at the file that names it",
            ),
        }
    }
}
