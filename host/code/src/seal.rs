//! The seal of what else smcp keeps, by the key of compiled files.
//!
//! `bundle` seals the indexes of kept trees with it. The key is derived, so that no seal is the MAC of compiled code.

use std::fmt;
use std::io;

use crate::entry::MacKey;
use crate::key;
use crate::store::CodePlaces;
use smcp_store::Seal;

/// What the derived key is for, and in which form.
const CONTEXT: &str = "smcp 2026 index of a kept tree 1";

/// A seal by the user's key.
pub struct UserSeal([u8; 32]);

impl UserSeal {
    /// Takes the user's key; `None` when there is none.
    ///
    /// # Errors
    /// When another user could have read or written it, or it can't be read.
    pub fn existing(places: &CodePlaces) -> io::Result<Option<Self>> {
        let Some(folder) = &places.key else { return Ok(None) };
        match (places.open)(folder) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
            Ok(dir) => Ok(key::read(&dir, folder, places.caller)?.map(Self::of)),
        }
    }

    /// Takes the user's key, and makes it first if needed.
    ///
    /// # Errors
    /// When it can't be made.
    pub fn made(places: &CodePlaces) -> io::Result<Self> {
        let homeless = || io::Error::new(io::ErrorKind::NotFound, "there is no place for a key: HOME is not set");
        let folder = places.key.as_ref().ok_or_else(homeless)?;
        let made = (places.make)(folder).and_then(|dir| key::read_or_make(&dir, folder, places.caller));
        let at = |error: io::Error| {
            let path = folder.join(key::FILE);
            io::Error::new(error.kind(), format!("{}: {error}", path.display()))
        };
        made.map(Self::of).map_err(at)
    }

    fn of(MacKey(key): MacKey) -> Self {
        Self(blake3::derive_key(CONTEXT, &key))
    }
}

impl Seal for UserSeal {
    fn seal(&self, bytes: &[u8]) -> [u8; 32] {
        blake3::keyed_hash(&self.0, bytes).into()
    }

    fn is_sealed(&self, bytes: &[u8], seal: &[u8; 32]) -> bool {
        // In constant time.
        blake3::keyed_hash(&self.0, bytes) == *seal
    }
}

impl fmt::Debug for UserSeal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UserSeal").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seal_is_of_one_key_and_of_all_bytes() {
        let (own, other) = (UserSeal::of(MacKey([1; 32])), UserSeal::of(MacKey([2; 32])));
        let seal = own.seal(b"index");
        assert!(own.is_sealed(b"index", &seal));
        assert!(!own.is_sealed(b"indes", &seal) && !own.is_sealed(b"inde", &seal) && !other.is_sealed(b"index", &seal));
        assert_ne!(
            seal,
            <[u8; 32]>::from(blake3::keyed_hash(&[1; 32], b"index")),
            "the key itself is for compiled code"
        );
    }
}
