//! Whom the certificate of a keyless signer names, and what a log signed of it.
//!
//! Whether an authority has made it is found out by webpki (`keyless`); this reads the parts that webpki does not.

use crate::der;
use crate::der::DerElement;
use crate::der::DerReader;
use crate::der::NotDer;

/// The parts of a certificate.
#[derive(Debug, Clone)]
pub(crate) struct CertificateParts<'a> {
    /// What stands before the extensions in what is signed.
    before: &'a [u8],
    /// The public key.
    pub(crate) key: &'a [u8],
    /// The issuer's name and the serial number, for whoever has to find it by them.
    pub(crate) issuer: &'a [u8],
    pub(crate) serial: &'a [u8],
    extensions: Vec<Extension<'a>>,
}

#[derive(Debug, Clone, Copy)]
struct Extension<'a> {
    oid: &'a [u8],
    value: &'a [u8],
    whole: &'a [u8],
}

/// The names of extensions.
const ALTERNATIVE_NAME: &[u8] = &[0x55, 0x1d, 0x11];
const KEY_ID: &[u8] = &[0x55, 0x1d, 0x0e];
const SCTS: &[u8] = &[0x2b, 0x06, 0x01, 0x04, 0x01, 0xd6, 0x79, 0x02, 0x04, 0x02];
/// Fulcio's arc, 1.3.6.1.4.1.57264.1, of which 1 and 8 are the issuer, and 7 a name of its own kind.
const FULCIO: &[u8] = &[0x2b, 0x06, 0x01, 0x04, 0x01, 0x83, 0xbf, 0x30, 0x01];

impl<'a> CertificateParts<'a> {
    /// Takes a certificate apart.
    pub(crate) fn of(certificate: &'a [u8]) -> Result<Self, NotDer> {
        let mut whole = der::only(certificate, der::SEQUENCE)?.inside();
        let signed = whole.expect(der::SEQUENCE)?;
        let mut fields = signed.inside();
        fields.optional(der::context(0))?;
        let serial = fields.expect(der::INTEGER)?.content;
        fields.expect(der::SEQUENCE)?;
        let issuer = fields.expect(der::SEQUENCE)?.whole;
        fields.expect(der::SEQUENCE)?;
        fields.expect(der::SEQUENCE)?;
        let key = fields.expect(der::SEQUENCE)?.whole;
        let all = fields.expect(der::context(3))?;
        fields.end()?;
        let before = signed.content.get(..signed.content.len().saturating_sub(all.whole.len())).ok_or(NotDer)?;
        let mut list = der::only(all.content, der::SEQUENCE)?.inside();
        let mut extensions = Vec::new();
        while !list.is_empty() {
            extensions.push(Extension::of(list.expect(der::SEQUENCE)?)?);
        }
        Ok(Self { before, key, issuer, serial, extensions })
    }

    /// Returns the value of the one extension with this name; `None` when there is none, or more than one.
    fn extension(&self, oid: &[u8]) -> Option<&'a [u8]> {
        let mut found = self.extensions.iter().filter(|extension| extension.oid == oid);
        let first = found.next()?.value;
        found.next().is_none().then_some(first)
    }

    /// The identifier of its key.
    pub(crate) fn key_id(&self) -> Option<&'a [u8]> {
        Some(der::only(self.extension(KEY_ID)?, der::OCTET_STRING).ok()?.content)
    }

    /// The one identity that it names: an address of mail, a URI, or a name of Fulcio's own kind. `None` when it names
    /// several, or none of these.
    pub(crate) fn identity(&self) -> Option<&'a str> {
        const MAIL: u8 = 0x81;
        const URI: u8 = 0x86;
        const OTHER: u8 = 0xa0;
        let mut names = der::only(self.extension(ALTERNATIVE_NAME)?, der::SEQUENCE).ok()?.inside();
        let name = names.any().ok()?;
        names.end().ok()?;
        let text = match name.tag {
            MAIL | URI => name.content,
            OTHER => {
                let mut parts = name.inside();
                let kind = parts.expect(der::OID).ok()?.content;
                let value = parts.expect(der::context(0)).ok()?;
                let value = der::only(value.content, der::UTF8_STRING).ok()?;
                (kind == fulcio(7)).then_some(value.content)?
            }
            _ => return None,
        };
        std::str::from_utf8(text).ok()
    }

    /// The issuer of the identity. Certificates have it in one of two forms, or in both, which then agree.
    pub(crate) fn identity_issuer(&self) -> Option<&'a str> {
        let old = self.extension(&fulcio(1));
        let new = match self.extension(&fulcio(8)) {
            Some(value) => Some(der::only(value, der::UTF8_STRING).ok()?.content),
            None => None,
        };
        let agreed = match (old, new) {
            (Some(old), Some(new)) => (old == new).then_some(new),
            (one, other) => one.or(other),
        };
        std::str::from_utf8(agreed?).ok()
    }

    /// The promises of logs of certificates, and what they are about: the certificate as it was before they were in it.
    pub(crate) fn promises(&self) -> Option<(&'a [u8], Vec<u8>)> {
        let list = der::only(self.extension(SCTS)?, der::OCTET_STRING).ok()?.content;
        let others: Vec<u8> =
            self.extensions.iter().filter(|extension| extension.oid != SCTS).flat_map(|it| it.whole.to_vec()).collect();
        let extensions = der::wrap(der::context(3), &der::wrap(der::SEQUENCE, &others));
        Some((list, der::wrap(der::SEQUENCE, &[self.before, &extensions].concat())))
    }
}

impl<'a> Extension<'a> {
    fn of(element: DerElement<'a>) -> Result<Self, NotDer> {
        let mut fields: DerReader<'a> = element.inside();
        let oid = fields.expect(der::OID)?.content;
        fields.optional(der::BOOLEAN)?;
        let value = fields.expect(der::OCTET_STRING)?.content;
        fields.end()?;
        Ok(Self { oid, value, whole: element.whole })
    }
}

/// A name below Fulcio's arc.
fn fulcio(number: u8) -> Vec<u8> {
    [FULCIO, &[number]].concat()
}
