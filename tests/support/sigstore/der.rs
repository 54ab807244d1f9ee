//! DER, as far as certificates and time-stamps of the tests need it.

/// The part of a certificate that its issuer has signed.
pub(super) fn signed_part(certificate: &[u8]) -> &[u8] {
    let inside = &certificate[head(certificate)..];
    &inside[..head(inside) + length(inside)]
}

/// The name of whoever has made a certificate.
pub(super) fn name_of(certificate: &[u8]) -> Vec<u8> {
    let signed = signed_part(certificate);
    let mut rest = &signed[head(signed)..];
    // Version, serial number and algorithm stand before it.
    for _ in 0..3 {
        rest = &rest[head(rest) + length(rest)..];
    }
    rest[..head(rest) + length(rest)].to_vec()
}

/// The bytes before the content of an element.
fn head(element: &[u8]) -> usize {
    if element[1] < 0x80 { 2 } else { 2 + usize::from(element[1] & 0x7f) }
}

/// The bytes of the content of an element.
fn length(element: &[u8]) -> usize {
    match element[1] {
        short @ 0..0x80 => usize::from(short),
        _ => element[2..head(element)].iter().fold(0, |length, byte| length << 8 | usize::from(*byte)),
    }
}

/// An element of DER.
pub(super) fn tlv(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
    let content = parts.concat();
    let size = u16::try_from(content.len()).unwrap();
    let [high, low] = size.to_be_bytes();
    let size = match size {
        0..0x80 => vec![low],
        0x80..0x100 => vec![0x81, low],
        _ => vec![0x82, high, low],
    };
    [&[tag][..], &size, &content].concat()
}
