//! Whether an authority that is believed has made a certificate, says webpki.

use std::time::Duration;

use pki_types::CertificateDer;
use pki_types::SignatureVerificationAlgorithm;
use pki_types::UnixTime;
use webpki::EndEntityCert;
use webpki::Error;
use webpki::KeyUsage;
use webpki::anchor_from_trusted_cert;

use crate::der;
use crate::json::Moment;
use crate::root::Authority;

/// The signatures of certificates that are verified.
const ALGORITHMS: &[&dyn SignatureVerificationAlgorithm] = &[
    webpki::ring::ECDSA_P256_SHA256,
    webpki::ring::ECDSA_P256_SHA384,
    webpki::ring::ECDSA_P384_SHA256,
    webpki::ring::ECDSA_P384_SHA384,
    webpki::ring::ED25519,
    webpki::ring::RSA_PKCS1_2048_8192_SHA256,
    webpki::ring::RSA_PKCS1_2048_8192_SHA384,
    webpki::ring::RSA_PKCS1_2048_8192_SHA512,
];

/// Returns the public key of whoever has made the certificate, when a chain leads from it to one of the authorities, all
/// of it valid at this moment, and its usage is the required one.
pub(crate) fn issuer_key(
    leaf: &[u8],
    above: &[Vec<u8>],
    authorities: &[&Authority],
    at: Moment,
    usage: KeyUsage,
) -> Result<Vec<u8>, Error> {
    let trusted = authorities.iter().flat_map(|authority| authority.chain.iter());
    // Each certificate of an authority is believed by itself, but not the one that is in question.
    let trusted: Vec<_> =
        trusted.filter(|der| der.as_slice() != leaf).map(|der| CertificateDer::from(der.as_slice())).collect();
    let anchors: Vec<_> = trusted.iter().map(anchor_from_trusted_cert).collect::<Result<_, _>>()?;
    let above: Vec<_> = above.iter().map(|der| CertificateDer::from(der.as_slice())).collect();
    let leaf = CertificateDer::from(leaf);
    let leaf = EndEntityCert::try_from(&leaf)?;
    let time = UnixTime::since_unix_epoch(Duration::from_secs(at.0));
    let path = leaf.verify_for_usage(ALGORITHMS, &anchors, &above, time, usage, None, None)?;
    // An anchor has its key without the head of the element.
    let anchor = || der::wrap(der::SEQUENCE, &path.anchor().subject_public_key_info);
    let key = path.intermediate_certificates().next().map(|issuer| issuer.subject_public_key_info().to_vec());
    Ok(key.unwrap_or_else(anchor))
}
