//! A component: its bytes, and the digest that identifies it.

use std::fmt;
use std::sync::Arc;

use crate::builtin;
use crate::shape;
use smcp_model::digest::Digest;
use smcp_model::policy::BuiltIn;
use smcp_model::text::SafeText;
use smcp_model::verdict::Fault;
use smcp_model::verdict::FaultKind;

/// A component's bytes, or where to read them, and their digest: the bytes that are hashed are the bytes that are loaded.
/// Cheap to clone.
#[derive(Clone)]
pub struct Component {
    digest: Digest, // INVARIANT: the digest of the bytes that `code` gives.
    signer: Option<SafeText>,
    code: CodeSource,
}

/// Reads the bytes of a component again.
pub type ReadAgain = dyn Fn() -> Result<Vec<u8>, Unreadable> + Send + Sync;

/// The origin of a component's code.
#[derive(Clone)]
pub(crate) enum CodeSource {
    /// It was compiled when this crate was built.
    BuiltIn(BuiltIn),
    /// It must be checked and compiled from these bytes.
    Bytes(Arc<Vec<u8>>),
    /// It must be checked and compiled, unless its code was kept; then its bytes are read again.
    Elsewhere {
        /// The number of its bytes.
        size: usize,
        /// Reads them.
        read: Arc<ReadAgain>,
    },
}

impl Component {
    /// A component from the bytes of its file. Nothing is checked yet: an error in them is a fault of the policy that
    /// they are loaded for.
    pub fn new(bytes: Vec<u8>) -> Self {
        Self { digest: Digest::of(&bytes), signer: None, code: CodeSource::Bytes(Arc::new(bytes)) }
    }

    /// A component of which only the digest is held: `bytes` are its bytes as they are now, and `read` reads them again
    /// when its code is needed and was not kept. So many large components are never in memory at once. Bytes that have
    /// changed meanwhile are a fault of the policy.
    pub fn elsewhere(bytes: &[u8], read: Arc<ReadAgain>) -> Self {
        Self { digest: Digest::of(bytes), signer: None, code: CodeSource::Elsewhere { size: bytes.len(), read } }
    }

    /// A component that was read before: it had this digest and so many bytes. `read` reads them again when its code is
    /// needed and was not kept; others are a fault of the policy.
    pub fn known(digest: Digest, size: usize, read: Arc<ReadAgain>) -> Self {
        Self { digest, signer: None, code: CodeSource::Elsewhere { size, read } }
    }

    /// The component inside this crate, as one of its policies.
    pub const fn built_in(policy: BuiltIn) -> Self {
        Self { digest: builtin::DIGEST, signer: None, code: CodeSource::BuiltIn(policy) }
    }

    /// The digest of its bytes; for a built-in component the digest of its `.wasm` file.
    pub const fn digest(&self) -> Digest {
        self.digest
    }

    /// The same component, of which the caller knows who has signed it.
    #[must_use]
    pub fn signed(self, signer: Option<SafeText>) -> Self {
        Self { signer, ..self }
    }

    /// Who has signed it, as the caller said.
    pub const fn signer(&self) -> Option<&SafeText> {
        self.signer.as_ref()
    }

    pub(crate) const fn code(&self) -> &CodeSource {
        &self.code
    }

    /// The number of its bytes; `None` for one inside this crate, which is compiled already.
    pub fn size(&self) -> Option<usize> {
        match &self.code {
            CodeSource::BuiltIn(_) => None,
            CodeSource::Bytes(bytes) => Some(bytes.len()),
            CodeSource::Elsewhere { size, .. } => Some(*size),
        }
    }

    /// Its bytes, which have its digest.
    ///
    /// # Errors
    /// [`FaultKind::Load`] when they can't be read again, or are others by now.
    pub(crate) fn bytes(&self) -> Result<Arc<Vec<u8>>, Fault> {
        match &self.code {
            CodeSource::BuiltIn(_) => Err(Fault::new(FaultKind::Load, "its bytes are not part of the program")),
            CodeSource::Bytes(bytes) => Ok(Arc::clone(bytes)),
            CodeSource::Elsewhere { read, .. } => {
                let bytes = read().map_err(|unreadable| unreadable.fault())?;
                if Digest::of(&bytes) != self.digest {
                    return Err(Fault::new(FaultKind::Load, "it was changed while smcp was reading it")
                        .remedy("start again; replace the file of a policy by renaming another one to its name"));
                }
                Ok(Arc::new(bytes))
            }
        }
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
    /// It is elsewhere and can't be had now. Holds the reason, and in further lines what helps.
    NotFetched(String),
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
            Self::NotFetched(why) => {
                let (why, advice) = why.split_once('\n').unwrap_or((why, ""));
                let advice: Vec<&str> = advice.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
                let ahead = "`smcp policy pull` gets it ahead";
                let remedy =
                    if advice.is_empty() { ahead.to_owned() } else { format!("{}; {ahead}", advice.join("; ")) };
                fault(format!("it can't be had: {why}"), &remedy)
            }
        }
    }
}
