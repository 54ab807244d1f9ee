//! Time-stamps (RFC 3161): an authority has seen a signature at a moment.
//!
//! Of the authority's certificates only those of the trusted root count; those in the time-stamp itself are not looked at.

use webpki::KeyUsage;

use crate::certificate::CertificateParts;
use crate::chain;
use crate::der;
use crate::der::DerElement;
use crate::der::DerReader;
use crate::der::NotDer;
use crate::flaw::Flaw;
use crate::json::Moment;
use crate::public_key::HashKind;
use crate::public_key::PublicKey;
use crate::root::Authority;

const SIGNED_DATA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x02];
const TIME_STAMP: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x10, 0x01, 0x04];
const CONTENT_TYPE: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x03];
const MESSAGE_DIGEST: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x04];
/// SHA-2: 1 is SHA-256, 2 SHA-384, 3 SHA-512.
const SHA2: &[u8] = &[0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02];
/// The usage of a certificate that signs time-stamps.
const TIME_STAMPING: &[u8] = &[0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x03, 0x08];

/// The parts of a time-stamp.
struct TimeStamp<'a> {
    /// What the authority says.
    statement: &'a [u8],
    hash: HashKind,
    imprint: &'a [u8],
    time: Moment,
    /// Who has signed: his issuer and serial number, or the identifier of his key.
    signer: DerElement<'a>,
    signer_hash: HashKind,
    attributes: DerElement<'a>,
    signature: &'a [u8],
}

/// Returns the moment at which an authority that is believed has seen the signature.
pub(crate) fn proven_time(stamp: &[u8], signature: &[u8], clocks: &[Authority]) -> Result<Moment, Flaw> {
    let stamp = TimeStamp::read(stamp).map_err(|NotDer| Flaw::Timestamp("it can't be read"))?;
    if stamp.hash.of(signature) != stamp.imprint {
        return Err(Flaw::Timestamp("it is about another signature"));
    }
    if !stamp.attributes_agree() {
        return Err(Flaw::Timestamp("what is signed is not what it says"));
    }
    match clocks.iter().any(|clock| clock.window.holds(stamp.time) && stamp.is_by(clock)) {
        true => Ok(stamp.time),
        false => Err(Flaw::Timestamp("no authority that is believed has made it")),
    }
}

impl<'a> TimeStamp<'a> {
    /// Reads a time-stamp, or the answer that it came in.
    fn read(bytes: &'a [u8]) -> Result<Self, NotDer> {
        let mut fields = der::only(bytes, der::SEQUENCE)?.inside();
        let mut token = match fields.optional(der::OID)? {
            Some(kind) if kind.content == SIGNED_DATA => fields,
            Some(_) => return Err(NotDer),
            None => {
                // The answer of an authority: whether it has granted the request, then the time-stamp.
                let status = fields.expect(der::SEQUENCE)?.inside().expect(der::INTEGER)?.content;
                let mut token = fields.expect(der::SEQUENCE)?.inside();
                fields.end()?;
                if !matches!(status, [0 | 1]) || token.expect(der::OID)?.content != SIGNED_DATA {
                    return Err(NotDer);
                }
                token
            }
        };
        let data = token.expect(der::context(0))?;
        token.end()?;
        let mut data = der::only(data.content, der::SEQUENCE)?.inside();
        data.expect(der::INTEGER)?;
        data.expect(der::SET)?;
        let mut content = data.expect(der::SEQUENCE)?.inside();
        if content.expect(der::OID)?.content != TIME_STAMP {
            return Err(NotDer);
        }
        let statement = der::only(content.expect(der::context(0))?.content, der::OCTET_STRING)?.content;
        data.optional(der::context(0))?;
        data.optional(der::context(1))?;
        let mut signers = data.expect(der::SET)?.inside();
        let mut info = signers.expect(der::SEQUENCE)?.inside();
        signers.end()?;
        info.expect(der::INTEGER)?;
        let signer = info.any()?;
        let signer_hash = hash_of(info.expect(der::SEQUENCE)?)?;
        let attributes = info.expect(der::context(0))?;
        info.expect(der::SEQUENCE)?;
        let signature = info.expect(der::OCTET_STRING)?.content;
        let (hash, imprint, time) = said(statement)?;
        Ok(Self { statement, hash, imprint, time, signer, signer_hash, attributes, signature })
    }

    /// Whether the signed attributes are about the statement.
    fn attributes_agree(&self) -> bool {
        let value = |name: &[u8]| {
            let mut all = self.attributes.inside();
            let mut found = Vec::new();
            while let Ok(attribute) = all.expect(der::SEQUENCE) {
                let mut parts = attribute.inside();
                if parts.expect(der::OID).ok()?.content == name {
                    found.push(parts.expect(der::SET).ok()?.inside());
                }
            }
            let [mut values] = <[DerReader<'_>; 1]>::try_from(found).ok()?;
            let value = values.any().ok()?;
            values.end().ok().map(|()| value.content)
        };
        value(CONTENT_TYPE) == Some(TIME_STAMP)
            && value(MESSAGE_DIGEST) == Some(self.signer_hash.of(self.statement).as_slice())
    }

    /// Whether an authority has signed it.
    fn is_by(&self, clock: &Authority) -> bool {
        let Some(leaf) = clock.chain.first() else { return false };
        let Ok(parts) = CertificateParts::of(leaf) else { return false };
        let is_meant = match self.signer.tag {
            der::SEQUENCE => {
                let mut name = self.signer.inside();
                let issuer = name.expect(der::SEQUENCE).map(|issuer| issuer.whole);
                issuer == Ok(parts.issuer) && name.expect(der::INTEGER).map(|serial| serial.content) == Ok(parts.serial)
            }
            _ => parts.key_id() == Some(self.signer.content),
        };
        // The attributes are signed as a set, whatever tag they have inside the time-stamp.
        let signed = der::wrap(der::SET, self.attributes.content);
        let key = PublicKey::from_info(parts.key);
        is_meant
            && key.is_ok_and(|key| key.has_signed(self.signer_hash, &signed, self.signature))
            && chain::issuer_key(leaf, &[], &[clock], self.time, KeyUsage::required(TIME_STAMPING)).is_ok()
    }
}

/// Reads what an authority says: the hash of what it has seen, and when.
fn said(statement: &[u8]) -> Result<(HashKind, &[u8], Moment), NotDer> {
    let mut fields = der::only(statement, der::SEQUENCE)?.inside();
    fields.expect(der::INTEGER)?;
    fields.expect(der::OID)?;
    let mut imprint = fields.expect(der::SEQUENCE)?.inside();
    let hash = hash_of(imprint.expect(der::SEQUENCE)?)?;
    let digest = imprint.expect(der::OCTET_STRING)?.content;
    fields.expect(der::INTEGER)?;
    let time = fields.expect(der::GENERALIZED_TIME)?.content;
    Ok((hash, digest, moment(time).ok_or(NotDer)?))
}

/// Returns the hash of an algorithm's identifier.
fn hash_of(algorithm: DerElement<'_>) -> Result<HashKind, NotDer> {
    match algorithm.inside().expect(der::OID)?.content.strip_prefix(SHA2) {
        Some([1]) => Ok(HashKind::Sha256),
        Some([2]) => Ok(HashKind::Sha384),
        Some([3]) => Ok(HashKind::Sha512),
        Some(_) | None => Err(NotDer),
    }
}

/// Reads `YYYYMMDDhhmmss`, with a fraction or without, and `Z`. The fraction is left out.
fn moment(text: &[u8]) -> Option<Moment> {
    let text = std::str::from_utf8(text).ok()?.strip_suffix('Z')?;
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if whole.len() != 14 || !digits(whole) || !digits(fraction) {
        return None;
    }
    let part = |from: usize, to: usize| whole.get(from..to);
    let (year, month, day) = (part(0, 4)?, part(4, 6)?, part(6, 8)?);
    let (hour, minute, second) = (part(8, 10)?, part(10, 12)?, part(12, 14)?);
    Moment::from_rfc3339(&format!("{year}-{month}-{day}T{hour}:{minute}:{second}Z"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_written_in_one_way() {
        assert_eq!(moment(b"19700101000001Z"), Some(Moment(1)));
        assert_eq!(moment(b"20260829101112.345Z"), Moment::from_rfc3339("2026-08-29T10:11:12Z"));
        for text in
            ["", "Z", "19700101000001", "1970010100000Z", "19700101000001.Z", "19701301000001Z", "+9700101000001Z"]
        {
            assert_eq!(moment(text.as_bytes()), None, "{text}");
        }
    }
}
