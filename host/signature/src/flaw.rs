//! What is wrong with a signature.

use smcp_model::text::SafeText;

/// Why a document is no signature by a signer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Flaw {
    /// The document can't be read.
    #[error("it is no {kind}: {why}")]
    Malformed {
        /// What it should be.
        kind: &'static str,
        /// What is wrong with it.
        why: &'static str,
    },
    /// minisign's first form, over the bytes themselves.
    #[error("it has minisign's legacy form, which is not accepted: sign again with `minisign -S -H`")]
    MinisignLegacy,
    /// What cosign wrote before it wrote bundles.
    #[error("it has cosign's old layout, which is not read: sign again with cosign 3, or `--new-bundle-format`")]
    CosignOld,
    /// By another key than the signer's.
    #[error("it is by {0}")]
    OtherKey(String),
    /// By somebody else than the signer.
    #[error("it is by `{identity}` of {issuer}")]
    OtherIdentity {
        /// The identity that the certificate has.
        identity: SafeText,
        /// The issuer that the certificate has.
        issuer: SafeText,
    },
    /// It is about other bytes.
    #[error("it is about another digest than {0}")]
    OtherDigest(String),
    /// The signature is not that key's over these bytes.
    #[error("its signature is not one by that key over these bytes")]
    WrongSignature,
    /// A bundle of the other kind: with a certificate, or without one.
    #[error("{0}")]
    OtherKind(&'static str),
    /// The certificate is not believed.
    #[error("its certificate is not believed: {0}")]
    Certificate(String),
    /// The certificate was not valid when it signed.
    #[error("its certificate is out of its time: it signed at {signed}, {why}")]
    OutOfTime {
        /// The proven time of the signature.
        signed: String,
        /// What the certificate says.
        why: String,
    },
    /// Nothing proves when it was signed.
    #[error("nothing proves when it was signed: expected an entry of a log with its promise, or a time-stamp")]
    NoTime,
    /// The proof of the time is not believed.
    #[error("its time-stamp is not believed: {0}")]
    Timestamp(&'static str),
    /// It is in no log.
    #[error("it has no entry of a transparency log")]
    NoEntry,
    /// The log's entry is not believed.
    #[error("its entry of a log is not believed: {0}")]
    Entry(&'static str),
}

impl Flaw {
    /// A sigstore bundle that can't be read.
    pub(crate) const fn bundle(why: &'static str) -> Self {
        Self::Malformed { kind: "sigstore bundle", why }
    }

    /// A minisign signature that can't be read.
    pub(crate) const fn minisign(why: &'static str) -> Self {
        Self::Malformed { kind: "minisign signature", why }
    }
}
