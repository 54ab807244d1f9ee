//! What logs of certificates have promised: to show the certificate (RFC 6962).

use crate::certificate::CertificateParts;
use crate::json::Moment;
use crate::public_key::HashKind;
use crate::root::TrustedLog;

/// Whether a log that is believed has promised to show the certificate, whose issuer has this public key.
pub(crate) fn is_promised(certificate: &CertificateParts<'_>, issuer_key: &[u8], logs: &[TrustedLog]) -> bool {
    let Some((list, before)) = certificate.promises() else { return false };
    let Some(mut list) = Bytes(list).vector(2).filter(|(_, rest)| rest.0.is_empty()).map(|(list, _)| list) else {
        return false;
    };
    while !list.0.is_empty() {
        let Some((promise, rest)) = list.vector(2) else { return false };
        if one_is_kept(promise, &before, issuer_key, logs) == Some(true) {
            return true;
        }
        list = rest;
    }
    false
}

/// Whether one promise is that of a log that is believed; `None` when it can't be read.
fn one_is_kept(promise: Bytes<'_>, before: &[u8], issuer_key: &[u8], logs: &[TrustedLog]) -> Option<bool> {
    let (version, rest) = promise.take(1)?;
    let (log, rest) = rest.take(32)?;
    let (time, rest) = rest.take(8)?;
    let (extensions, rest) = rest.vector(2)?;
    let (algorithm, rest) = rest.take(2)?;
    let (signature, rest) = rest.vector(2)?;
    if version != [0] || !rest.0.is_empty() {
        return None;
    }
    let hash = match algorithm {
        [4, 1 | 3] => HashKind::Sha256,
        [5, 1 | 3] => HashKind::Sha384,
        [6, 1] => HashKind::Sha512,
        _ => return None,
    };
    let moment = Moment(u64::from_be_bytes(time.try_into().ok()?).checked_div(1000)?);
    let size = u32::try_from(before.len()).ok()?.to_be_bytes();
    let (too_large, size) = size.split_first()?;
    let extensions_size = u16::try_from(extensions.0.len()).ok()?.to_be_bytes();
    let issuer = HashKind::Sha256.of(issuer_key);
    let parts: [&[u8]; 8] = [&[0, 0], time, &[0, 1], &issuer, size, before, &extensions_size, extensions.0];
    let signed = parts.concat();
    let of_this = |candidate: &&TrustedLog| candidate.id == log && candidate.window.holds(moment);
    let signs = |candidate: &TrustedLog| candidate.key.has_signed(hash, &signed, signature.0);
    Some(*too_large == 0 && logs.iter().filter(of_this).any(signs))
}

/// Bytes in the encoding of TLS.
#[derive(Debug, Clone, Copy)]
struct Bytes<'a>(&'a [u8]);

impl<'a> Bytes<'a> {
    fn take(self, count: usize) -> Option<(&'a [u8], Self)> {
        self.0.split_at_checked(count).map(|(taken, rest)| (taken, Self(rest)))
    }

    /// Takes a vector whose length is in the first `digits` bytes.
    fn vector(self, digits: usize) -> Option<(Self, Self)> {
        let (length, rest) = self.take(digits)?;
        let length = length.iter().fold(0_usize, |length, digit| (length << 8) | usize::from(*digit));
        rest.take(length).map(|(taken, rest)| (Self(taken), rest))
    }
}
