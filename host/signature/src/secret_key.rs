//! Secret keys for signing, in the form of minisign, which can use them itself.
//!
//! 158 bytes in Base64: what the key is for, how it is protected, its number, the key, and a checksum. The last three are
//! XORed with what scrypt makes of a password, or stand as they are.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use blake2::Blake2b;
use blake2::Digest as _;
use blake2::digest::consts::U32;
use ring::signature::Ed25519KeyPair;
use ring::signature::KeyPair as _;

use smcp_model::signer::MinisignKey;

/// What a key is for, the protection by a password, none, and the checksum: their names in the file.
const ED25519: [u8; 2] = *b"Ed";
const SCRYPT: [u8; 2] = *b"Sc";
const UNPROTECTED: [u8; 2] = [0, 0];
const BLAKE2B: [u8; 2] = *b"B2";

/// Scrypt's cost for new keys: 2^18 times 1 KiB of memory, 256 MiB, and about a second. minisign's own is four times that,
/// which a small machine of a CI does not have.
const OPERATIONS: u64 = 1 << 23;
const MEMORY: u64 = 1 << 28;
/// The most that a key may ask for: minisign's own cost.
const MOST_OPERATIONS: u64 = 1 << 25;
const MOST_MEMORY: u64 = 1 << 30;

/// A secret key that is ready to sign. `Debug` does not show it.
pub struct SecretKey {
    id: [u8; 8],
    seed: [u8; 32],
    pair: Ed25519KeyPair,
}

/// A password of a secret key. `Debug` does not show it.
#[derive(PartialEq, Eq)]
pub struct Password(Vec<u8>);

/// A secret key as its file has it.
#[derive(Debug)]
pub struct SecretKeyFile {
    protection: Protection,
    rest: [u8; 104],
}

/// How the key is protected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Protection {
    None,
    Password { salt: [u8; 32], operations: u64, memory: u64 },
}

/// A secret key can't be used or made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SecretKeyError {
    /// The text is something else.
    #[error("it is no secret key as minisign has it: expected a comment, and a line that begins with `RW`")]
    NotAKey,
    /// The password is not the one that the key was protected with.
    #[error("the password is wrong, or the file is damaged")]
    WrongPassword,
    /// The checksum of an unprotected key is wrong.
    #[error("the file is damaged: its checksum is wrong")]
    Damaged,
    /// Scrypt would cost more than minisign ever asks for.
    #[error("its protection costs more than minisign's own: at most 1 GiB of memory")]
    TooCostly,
    /// The system gives no random bytes.
    #[error("the system gives no random bytes")]
    NoRandomness,
}

impl Password {
    /// Takes a password.
    pub fn new(text: &str) -> Self {
        Self(text.as_bytes().to_vec())
    }

    /// Whether there is nothing in it.
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl SecretKey {
    /// Makes a new key.
    ///
    /// # Errors
    /// [`SecretKeyError::NoRandomness`].
    pub fn generate() -> Result<Self, SecretKeyError> {
        let (mut id, mut seed) = ([0; 8], [0; 32]);
        getrandom::fill(&mut id).map_err(|_| SecretKeyError::NoRandomness)?;
        getrandom::fill(&mut seed).map_err(|_| SecretKeyError::NoRandomness)?;
        let pair = Ed25519KeyPair::from_seed_unchecked(&seed).map_err(|_| SecretKeyError::NoRandomness)?;
        Ok(Self { id, seed, pair })
    }

    /// The public key.
    pub fn public(&self) -> MinisignKey {
        let mut key = [0; 32];
        key.copy_from_slice(self.pair.public_key().as_ref());
        MinisignKey::new(self.id, key)
    }

    /// The text of the file with the public key.
    pub fn public_file(&self) -> String {
        let key = self.public();
        format!("untrusted comment: minisign public key {}\n{key}\n", key.number())
    }

    pub(crate) const fn id(&self) -> [u8; 8] {
        self.id
    }

    pub(crate) fn sign(&self, message: &[u8]) -> Vec<u8> {
        self.pair.sign(message).as_ref().to_vec()
    }

    /// The text of the file with the secret key, protected by a password if there is one.
    ///
    /// # Errors
    /// [`SecretKeyError::NoRandomness`].
    pub fn file(&self, password: Option<&Password>) -> Result<String, SecretKeyError> {
        let protection = match password {
            None => Protection::None,
            Some(_) => {
                let mut salt = [0; 32];
                getrandom::fill(&mut salt).map_err(|_| SecretKeyError::NoRandomness)?;
                Protection::Password { salt, operations: OPERATIONS, memory: MEMORY }
            }
        };
        let secret = [self.seed.as_slice(), self.pair.public_key().as_ref()].concat();
        let checksum = checksum(&self.id, &secret);
        let rest = xored(&[&self.id, secret.as_slice(), &checksum].concat(), &protection.stream(password)?);
        let (name, salt, operations, memory) = match protection {
            Protection::None => (UNPROTECTED, [0; 32], 0, 0),
            Protection::Password { salt, operations, memory } => (SCRYPT, salt, operations, memory),
        };
        let (operations, memory) = (u64::to_le_bytes(operations), u64::to_le_bytes(memory));
        let bytes = [ED25519.as_slice(), &name, &BLAKE2B, &salt, &operations, &memory, &rest].concat();
        let kind = if password.is_some() { "encrypted secret key" } else { "secret key" };
        Ok(format!("untrusted comment: minisign {kind}\n{}\n", STANDARD.encode(bytes)))
    }
}

impl SecretKeyFile {
    /// Reads the text of a file.
    ///
    /// # Errors
    /// [`SecretKeyError::NotAKey`], [`SecretKeyError::TooCostly`].
    pub fn read(text: &[u8]) -> Result<Self, SecretKeyError> {
        Self::parts(text).ok_or(SecretKeyError::NotAKey).and_then(|file| match file.protection {
            Protection::Password { operations, memory, .. } if operations > MOST_OPERATIONS || memory > MOST_MEMORY => {
                Err(SecretKeyError::TooCostly)
            }
            Protection::Password { .. } | Protection::None => Ok(file),
        })
    }

    fn parts(text: &[u8]) -> Option<Self> {
        let line = std::str::from_utf8(text).ok()?.lines().nth(1)?.trim();
        let bytes: [u8; 158] = STANDARD.decode(line).ok()?.try_into().ok()?;
        let (algorithm, rest) = bytes.split_first_chunk::<2>()?;
        let (protection, rest) = rest.split_first_chunk::<2>()?;
        let (check, rest) = rest.split_first_chunk::<2>()?;
        let (salt, rest) = rest.split_first_chunk::<32>()?;
        let (operations, rest) = rest.split_first_chunk::<8>()?;
        let (memory, rest) = rest.split_first_chunk::<8>()?;
        let protection = match *protection {
            UNPROTECTED => Protection::None,
            SCRYPT => Protection::Password {
                salt: *salt,
                operations: u64::from_le_bytes(*operations),
                memory: u64::from_le_bytes(*memory),
            },
            _ => return None,
        };
        (*algorithm == ED25519 && *check == BLAKE2B).then_some(Self { protection, rest: rest.try_into().ok()? })
    }

    /// Whether it takes a password to use it.
    pub fn is_protected(&self) -> bool {
        self.protection != Protection::None
    }

    /// Returns the key, with the password if it is protected.
    ///
    /// # Errors
    /// [`SecretKeyError::WrongPassword`], [`SecretKeyError::Damaged`].
    pub fn open(&self, password: Option<&Password>) -> Result<SecretKey, SecretKeyError> {
        let wrong = if self.is_protected() { SecretKeyError::WrongPassword } else { SecretKeyError::Damaged };
        let bytes = xored(&self.rest, &self.protection.stream(password)?);
        let parts = || {
            let (id, rest) = bytes.split_first_chunk::<8>()?;
            let (secret, check) = rest.split_first_chunk::<64>()?;
            let (seed, public) = secret.split_first_chunk::<32>()?;
            // minisign writes no checksum where there is no password to be wrong; the two halves of the key still fit.
            let is_unchecked = !self.is_protected() && check == [0; 32];
            (is_unchecked || check == checksum(id, secret).as_slice()).then_some((*id, *seed, public))
        };
        let (id, seed, public) = parts().ok_or(wrong)?;
        let pair = Ed25519KeyPair::from_seed_and_public_key(&seed, public).map_err(|_| wrong)?;
        Ok(SecretKey { id, seed, pair })
    }
}

impl Protection {
    /// Returns the bytes that the key is XORed with.
    fn stream(self, password: Option<&Password>) -> Result<[u8; 104], SecretKeyError> {
        let mut stream = [0; 104];
        if let Self::Password { salt, operations, memory } = self {
            let password = password.ok_or(SecretKeyError::WrongPassword)?;
            let params = cost(operations, memory).ok_or(SecretKeyError::TooCostly)?;
            scrypt::scrypt(&password.0, &salt, &params, &mut stream).map_err(|_| SecretKeyError::TooCostly)?;
        }
        Ok(stream)
    }
}

/// Returns scrypt's parameters as libsodium finds them for these limits.
fn cost(operations: u64, memory: u64) -> Option<scrypt::Params> {
    const R: u64 = 8;
    let operations = operations.max(32_768);
    let log2 = |most: u64| (most / 2).checked_ilog2().unwrap_or(0).saturating_add(1).max(1);
    let (log, p) = if operations < memory / 32 {
        (log2(operations / (R * 4)), 1)
    } else {
        let log = log2(memory / (R * 128));
        let both = ((operations / 4) >> log).min(0x3fff_ffff);
        (log, both / R)
    };
    scrypt::Params::new(u8::try_from(log).ok()?, u32::try_from(R).ok()?, u32::try_from(p).ok()?).ok()
}

fn checksum(id: &[u8], secret: &[u8]) -> [u8; 32] {
    Blake2b::<U32>::new().chain_update(ED25519).chain_update(id).chain_update(secret).finalize().into()
}

fn xored(bytes: &[u8], stream: &[u8; 104]) -> Vec<u8> {
    bytes.iter().zip(stream).map(|(byte, other)| byte ^ other).collect()
}

impl fmt::Debug for SecretKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SecretKey({})", self.public().number())
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password(…)")
    }
}
