//! A block of permissions that was written of what a server used.

use crate::manifest::Permissions;

/// What a manifest could ask for, and what no block of permissions says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Draft {
    /// The permissions. Variables are those that the manifest has: nobody sees which are read.
    pub permissions: Permissions,
    /// Sentences about the rest, without a full stop; they may hold names that the server chose.
    pub remarks: Vec<String>,
}
