//! What confines a server, in the words for the user and for the model.
//!
//! Nothing does in this version. Both sentences are here, so that they change together.

/// For the user who starts it, after the word `sandbox`.
pub(crate) const FOR_THE_USER: &str = "none: it runs with your rights";

/// For the model: a whole sentence.
pub(crate) const FOR_THE_MODEL: &str = "It is not sandboxed: it runs with the user's rights.";
