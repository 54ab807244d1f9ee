//! A component: its bytes, and the digest that identifies it.

use std::fmt;
use std::sync::Arc;

use crate::builtin;
use crate::shape;
use smcp_model::digest::Digest;
use smcp_model::policy::BuiltIn;
use smcp_model::verdict::Fault;
use smcp_model::verdict::FaultKind;

/// A component's bytes and their digest, which is computed once: the bytes that are hashed are the bytes that are
/// loaded. Cheap to clone.
#[derive(Clone)]
pub struct Component {
    digest: Digest, // INVARIANT: the digest of `code`.
    code: CodeSource,
}

/// The origin of a component's code.
#[derive(Clone)]
pub(crate) enum CodeSource {
    /// It was compiled when this crate was built.
    BuiltIn(BuiltIn),
    /// It must be checked and compiled from these bytes.
    Bytes(Arc<Vec<u8>>),
}

impl Component {
    /// A component from the bytes of its file. Nothing is checked yet: an error in them is a fault of the policy that
    /// they are loaded for.
    pub fn new(bytes: Vec<u8>) -> Self {
        Self { digest: Digest::of(&bytes), code: CodeSource::Bytes(Arc::new(bytes)) }
    }

    /// One of the components inside this crate.
    pub const fn built_in(policy: BuiltIn) -> Self {
        Self { digest: builtin::embedded(policy).digest, code: CodeSource::BuiltIn(policy) }
    }

    /// The digest of its bytes; for a built-in component the digest of its `.wasm` file.
    pub const fn digest(&self) -> Digest {
        self.digest
    }

    pub(crate) const fn code(&self) -> &CodeSource {
        &self.code
    }
}

impl fmt::Debug for Component {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Component").field("digest", &self.digest).finish_non_exhaustive()
    }
}

/// The reason why the bytes of a component could not be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unreadable {
    /// Its policy is disabled, so the file was not read.
    Disabled,
    /// The file is longer than `limit` bytes, the most that is read.
    TooLarge {
        /// The limit, bytes.
        limit: usize,
        /// Its length, bytes, when known.
        size: Option<u64>,
    },
    /// It is a directory, a device or a pipe. Holds its path.
    NotAFile(String),
    /// The system refused. Holds the path and the reason.
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
