//! Keyless signatures: by whoever an issuer has given an identity.
//!
//! The key is thrown away after signing. So it has to be proven when the signature was made, and that an authority had
//! given a certificate for it to that identity at that time.

use pki_types::UnixTime;
use webpki::Error;
use webpki::KeyUsage;

use crate::bundle::Meant;
use crate::bundle::SigstoreBundle;
use crate::certificate::CertificateParts;
use crate::chain;
use crate::entry;
use crate::flaw::Flaw;
use crate::json::Moment;
use crate::promise;
use crate::public_key::PublicKey;
use crate::root::Authority;
use crate::root::Roots;
use smcp_model::text::SafeText;

/// The usage of a certificate that signs code.
const CODE_SIGNING: &[u8] = &[0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x03, 0x03];

/// Makes sure that the bundle is a signature over what is meant by this identity of this issuer.
pub(crate) fn verify<'m>(
    bundle: &SigstoreBundle,
    meant: impl Into<Meant<'m>>,
    (identity, issuer): (&str, &str),
    roots: &Roots,
    now: Moment,
) -> Result<(), Flaw> {
    let (leaf, above) =
        bundle.certificates.split_first().ok_or(Flaw::OtherKind("it is by a key, and has no certificate"))?;
    let parts = CertificateParts::of(leaf).map_err(|_| certificate("it can't be read"))?;
    let key = PublicKey::from_info(parts.key).map_err(|_| certificate("its key is of a kind that is not known"))?;
    let signed = bundle.content.signed(meant.into())?;
    let signature = bundle.content.signature();
    let hash = bundle.content.hash().unwrap_or(key.usual_hash());
    if !key.has_signed(hash, &signed, signature) {
        return Err(Flaw::WrongSignature);
    }
    if bundle.entries.is_empty() {
        return Err(Flaw::NoEntry);
    }
    let mut times = Vec::new();
    for stamp in &bundle.timestamps {
        times.push(crate::timestamp::proven_time(stamp, signature, &roots.clocks)?);
    }
    for found in &bundle.entries {
        entry::is_about(found, &bundle.content, &signed, leaf)?;
        times.extend(found.prove(&roots.logs, now)?);
    }
    if times.is_empty() {
        return Err(Flaw::NoTime);
    }
    // Each proven time counts: one that was dated back does not hide another.
    for at in times {
        let made_by = made_by(leaf, above, roots, at)?;
        if !promise::is_promised(&parts, &made_by, &roots.certificate_logs) {
            return Err(certificate("no log of certificates that is believed has promised to show it"));
        }
    }
    let found = parts.identity().zip(parts.identity_issuer());
    let (found_identity, found_issuer) = found.ok_or(certificate("it names no identity and issuer, or several"))?;
    match (found_identity, found_issuer) == (identity, issuer) {
        true => Ok(()),
        false => {
            let (identity, issuer) = (SafeText::quoted_value(found_identity), SafeText::new(found_issuer));
            Err(Flaw::OtherIdentity { identity, issuer })
        }
    }
}

/// Whether the bundle says that it is by this identity of this issuer. That proves nothing.
pub(crate) fn is_claimed(bundle: &SigstoreBundle, (identity, issuer): (&str, &str)) -> bool {
    let parts = bundle.certificates.first().and_then(|leaf| CertificateParts::of(leaf).ok());
    let who = parts.as_ref().and_then(|parts| parts.identity().zip(parts.identity_issuer()));
    who == Some((identity, issuer))
}

/// Returns the public key of the authority that has made the certificate, which was valid at that moment.
fn made_by(leaf: &[u8], above: &[Vec<u8>], roots: &Roots, at: Moment) -> Result<Vec<u8>, Flaw> {
    let believed: Vec<&Authority> = roots.authorities.iter().filter(|it| it.window.holds(at)).collect();
    let key = chain::issuer_key(leaf, above, &believed, at, KeyUsage::required(CODE_SIGNING));
    key.map_err(|error| {
        let signed = at.shown();
        let shown = |time: UnixTime| Moment(time.as_secs()).shown();
        let out_of_time = |why: String| Flaw::OutOfTime { signed: signed.clone(), why };
        if let Error::CertExpired { not_after, .. } = error {
            return out_of_time(format!("and was valid to {}", shown(not_after)));
        }
        if let Error::CertNotValidYet { not_before, .. } = error {
            return out_of_time(format!("and was valid from {}", shown(not_before)));
        }
        match error == Error::UnknownIssuer {
            true => certificate("no authority that is believed has made it"),
            false => Flaw::Certificate(error.to_string()),
        }
    })
}

fn certificate(why: &str) -> Flaw {
    Flaw::Certificate(why.to_owned())
}
