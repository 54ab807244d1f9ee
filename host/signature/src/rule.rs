//! A rule about signers, with its keys, and what signatures are worth under it.

mod standing;

pub use crate::rule::standing::Standing;
pub use crate::rule::standing::Vouched;
pub use crate::rule::standing::statement_in;

use std::fmt;
use std::path::Path;
use std::path::PathBuf;

use crate::bundle::Meant;
use crate::bundle::SigstoreBundle;
use crate::bundle::hex;
use crate::entry;
use crate::flaw::Flaw;
use crate::json::Moment;
use crate::keyless;
use crate::minisign;
use crate::public_key::PublicKey;
use crate::public_key::PublicKeyError;
use crate::root::Roots;
use crate::root::RootsError;
use smcp_model::limits::signatures as limits;
use smcp_model::signer::Demand;
use smcp_model::signer::MinisignKey;
use smcp_model::signer::SignedBy;
use smcp_model::signer::Signer;
use smcp_model::signer::TrustedRoot;
use smcp_model::text::SafeText;

/// The content of a detached signature, whatever brought it.
#[derive(Debug, Clone)]
pub struct SignatureDocument {
    /// Its name for people: a file, or where it came from.
    pub name: SafeText,
    /// Its form.
    pub form: SignatureForm,
    /// Its content.
    pub content: Vec<u8>,
}

/// The form of a detached signature.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SignatureForm {
    /// minisign's four lines.
    Minisign,
    /// A sigstore bundle.
    Sigstore,
}

impl SignatureForm {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Minisign, Self::Sigstore];

    /// What is added to a file's name for the name of its signature.
    pub const fn suffix(self) -> &'static str {
        match self {
            Self::Minisign => "minisig",
            Self::Sigstore => "sigstore.json",
        }
    }

    /// The most that is read of one, bytes.
    pub const fn most(self) -> usize {
        match self {
            Self::Minisign => limits::MINISIGN,
            Self::Sigstore => limits::SIGSTORE_BUNDLE,
        }
    }
}

/// A rule whose keys and roots were read.
#[derive(Debug)]
pub struct LoadedRule {
    demands: Vec<Vec<LoadedSigner>>,
    expected: SafeText,
}

#[derive(Debug)]
enum LoadedSigner {
    Minisign(MinisignKey),
    Key { key: PublicKey, log: Option<Roots> },
    Keyless { issuer: String, identity: String, roots: Roots },
}

/// A file that a rule names is not what it should be.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{}: {cause}", file.display())]
pub struct SignerFileError {
    /// The file.
    pub file: PathBuf,
    cause: SignerFileCause,
}

/// What is wrong with a file that a rule names.
#[derive(Debug, Clone, thiserror::Error)]
enum SignerFileCause {
    #[error(transparent)]
    Key(#[from] PublicKeyError),
    #[error(transparent)]
    Root(#[from] RootsError),
    #[error("it has the same key as another file of one `all_of`: its owner alone would be both")]
    Twice,
}

/// Reads a file that a rule names: its path, and the most bytes that are taken.
pub type ReadSignerFile<'f, E> = dyn FnMut(&Path, usize) -> Result<Vec<u8>, E> + 'f;

/// No signature meets the rule.
#[derive(Debug, Clone)]
pub struct Unsigned {
    /// Who was expected.
    pub expected: SafeText,
    /// What each document is.
    pub found: Vec<(SafeText, SafeText)>,
}

impl std::error::Error for Unsigned {}

impl fmt::Display for Unsigned {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.found.is_empty() {
            f.write_str("it has no signature")?;
        }
        for (number, (name, flaw)) in self.found.iter().enumerate() {
            write!(f, "{}{name}: {flaw}", if number == 0 { "" } else { "; " })?;
        }
        Ok(())
    }
}

impl LoadedRule {
    /// Reads the files that a rule names with `read`, which gets the most bytes that are taken.
    ///
    /// # Errors
    /// What `read` returns, and [`SignerFileError`].
    pub fn load<E: From<SignerFileError>>(rule: &SignedBy, read: &mut ReadSignerFile<'_, E>) -> Result<Self, E> {
        let demands = rule.demands().iter().map(|demand| match demand {
            Demand::One(signer) => Ok(vec![LoadedSigner::load(signer, read)?]),
            Demand::All(all) => {
                let mut loaded: Vec<LoadedSigner> = Vec::new();
                for signer in all {
                    let one = LoadedSigner::load(signer, read)?;
                    match signer {
                        Signer::Key { file, .. } if loaded.iter().any(|it| it.recorded() == one.recorded()) => {
                            return Err(SignerFileError::of(file, SignerFileCause::Twice).into());
                        }
                        Signer::Key { .. } | Signer::Minisign(_) | Signer::Keyless { .. } => loaded.push(one),
                    }
                }
                Ok(loaded)
            }
        });
        Ok(Self { demands: demands.collect::<Result<_, E>>()?, expected: SafeText::new(&rule.to_string()) })
    }

    /// The forms of signatures that the rule can use.
    pub fn forms(&self) -> Vec<SignatureForm> {
        let uses = |form: &SignatureForm| self.demands.iter().flatten().any(|signer| signer.form() == *form);
        SignatureForm::ALL.into_iter().filter(uses).collect()
    }

    /// Returns who has signed the bytes, as records name him, when that meets the rule. `now` is in Unix seconds; nothing is
    /// fetched.
    ///
    /// # Errors
    /// [`Unsigned`], with what each document is.
    pub fn verify(&self, bytes: &[u8], documents: &[SignatureDocument], now: u64) -> Result<SafeText, Unsigned> {
        self.verify_any(&[bytes], documents, now)
    }

    /// Does the same for bytes that others lead to by their digests, such as the manifest of an artefact: a signature over any
    /// of them counts.
    ///
    /// # Errors
    /// As [`verify`](Self::verify).
    pub fn verify_any(
        &self,
        candidates: &[&[u8]],
        documents: &[SignatureDocument],
        now: u64,
    ) -> Result<SafeText, Unsigned> {
        // What is wrong with each document, and whether it is a signature by somebody nevertheless.
        let mut judged = vec![(Vec::new(), false); documents.len()];
        for demand in &self.demands {
            let mut signers = Vec::new();
            for signer in demand {
                let of_its_form =
                    documents.iter().zip(&mut judged).filter(|(document, _)| document.form == signer.form());
                let mut is_met = false;
                for (document, (flaws, is_good)) in of_its_form {
                    match signer.verify_any(document, candidates, Moment(now)).map_err(|flaw| flaw.to_string()) {
                        Ok(()) => (is_met, *is_good) = (true, true),
                        Err(flaw) if !flaws.contains(&flaw) => flaws.push(flaw),
                        Err(_) => {}
                    }
                }
                signers.extend(is_met.then(|| signer.recorded()));
            }
            if signers.len() == demand.len() {
                return Ok(SafeText::new(&signers.join(" and ")));
            }
        }
        let found = documents.iter().zip(judged).map(|(document, (flaws, is_good))| {
            let text = match (is_good, flaws.is_empty()) {
                (true, _) => "it is by one of several that are required, and another is missing".to_owned(),
                (false, false) => flaws.join("; "),
                (false, true) => "nobody that is expected signs so".to_owned(),
            };
            (document.name.clone(), SafeText::new(&text))
        });
        Err(Unsigned { expected: self.expected.clone(), found: found.collect() })
    }
}

impl LoadedRule {
    /// Returns those of the documents that are signatures by somebody whom the rule names, over any of the candidates.
    pub fn good<'d>(
        &self,
        candidates: &[&[u8]],
        documents: &'d [SignatureDocument],
        now: u64,
    ) -> impl Iterator<Item = &'d SignatureDocument> {
        let signers = || self.demands.iter().flatten();
        documents.iter().filter(move |document| {
            let mut of_its_form = signers().filter(|signer| signer.form() == document.form);
            of_its_form.any(|signer| signer.verify_any(document, candidates, Moment(now)).is_ok())
        })
    }
}

impl LoadedSigner {
    fn load<E: From<SignerFileError>>(signer: &Signer, read: &mut ReadSignerFile<'_, E>) -> Result<Self, E> {
        let mut roots = |root: &TrustedRoot| -> Result<Roots, E> {
            match root {
                TrustedRoot::Public => {
                    Roots::public().map_err(|cause| SignerFileError::of(Path::new("smcp"), cause).into())
                }
                TrustedRoot::File(file) => {
                    let text = read(file, limits::TRUSTED_ROOT)?;
                    Roots::from_json(&text).map_err(|cause| SignerFileError::of(file, cause).into())
                }
            }
        };
        Ok(match signer {
            Signer::Minisign(key) => Self::Minisign(key.clone()),
            Signer::Keyless { issuer, identity, root } => {
                Self::Keyless { issuer: issuer.clone(), identity: identity.clone(), roots: roots(root)? }
            }
            Signer::Key { file, log } => {
                let log = log.as_ref().map(&mut roots).transpose()?;
                let key = PublicKey::from_pem(&read(file, limits::KEY_FILE)?);
                Self::Key { key: key.map_err(|cause| SignerFileError::of(file, cause))?, log }
            }
        })
    }

    const fn form(&self) -> SignatureForm {
        match self {
            Self::Minisign(_) => SignatureForm::Minisign,
            Self::Key { .. } | Self::Keyless { .. } => SignatureForm::Sigstore,
        }
    }

    /// The signer as records name him.
    fn recorded(&self) -> String {
        match self {
            Self::Minisign(key) => format!("minisign {key}"),
            Self::Key { key, log: _ } => format!("key sha256:{}", hex(&key.name())),
            Self::Keyless { issuer, identity, roots: _ } => format!("{identity} of {issuer}"),
        }
    }

    /// Makes sure that the document is this signer's signature over one of the candidates. Of its flaws the first counts that
    /// is not about other bytes.
    fn verify_any(&self, document: &SignatureDocument, candidates: &[&[u8]], now: Moment) -> Result<(), Flaw> {
        let mut worst = None;
        for bytes in candidates {
            match self.verify(document, Meant::Bytes(bytes), now) {
                Ok(()) => return Ok(()),
                Err(flaw) if matches!(worst, None | Some(Flaw::OtherDigest(_))) => worst = Some(flaw),
                Err(_) => {}
            }
        }
        Err(worst.unwrap_or(Flaw::WrongSignature))
    }

    /// Makes sure that the document is this signer's signature over what is meant.
    fn verify(&self, document: &SignatureDocument, meant: Meant<'_>, now: Moment) -> Result<(), Flaw> {
        match self {
            Self::Minisign(key) => {
                let (Meant::Bytes(bytes) | Meant::Statement(bytes)) = meant;
                minisign::verify(&document.content, bytes, key)
            }
            Self::Key { key, log } => by_key(&SigstoreBundle::read(&document.content)?, meant, key, log.as_ref(), now),
            Self::Keyless { issuer, identity, roots } => {
                let bundle = SigstoreBundle::read(&document.content)?;
                keyless::verify(&bundle, meant, (identity, issuer), roots, now)
            }
        }
    }
}

/// Makes sure that the bundle is a signature over what is meant by this key, and, with `log`, that a log has it. Without, what
/// the bundle says of logs and times counts for nothing: so it can be verified where there is no root at all.
fn by_key(
    bundle: &SigstoreBundle,
    meant: Meant<'_>,
    key: &PublicKey,
    log: Option<&Roots>,
    now: Moment,
) -> Result<(), Flaw> {
    if !bundle.certificates.is_empty() {
        return Err(Flaw::OtherKind("it is by a certificate, and not by a key"));
    }
    let signed = bundle.content.signed(meant)?;
    let hash = bundle.content.hash().unwrap_or(key.usual_hash());
    if !key.has_signed(hash, &signed, bundle.content.signature()) {
        return Err(Flaw::WrongSignature);
    }
    let Some(roots) = log else { return Ok(()) };
    if bundle.entries.is_empty() {
        return Err(Flaw::NoEntry);
    }
    bundle.entries.iter().try_for_each(|found| {
        entry::is_about(found, &bundle.content, &signed, key.info())?;
        found.prove(&roots.logs, now).map(|_| ())
    })
}

impl SignerFileError {
    /// What is wrong with the file.
    pub fn cause(&self) -> String {
        self.cause.to_string()
    }

    fn of(file: &Path, cause: impl Into<SignerFileCause>) -> Self {
        Self { file: file.to_owned(), cause: cause.into() }
    }
}
