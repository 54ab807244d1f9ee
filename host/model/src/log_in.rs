//! What somebody proves to a registry of images who they are with.

use crate::secret::Secret;

/// A log-in. Nothing of it is shown but the name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LogIn {
    /// A name, and a password or a token in its place.
    Password {
        /// The name.
        user: String,
        /// The password.
        password: Secret,
    },
    /// A token for which the registry's token service gives others.
    Refresh(Secret),
}
