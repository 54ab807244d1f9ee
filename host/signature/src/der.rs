//! Elements of DER: tag, length, content.
//!
//! As much as it takes to find the parts of a certificate or of a time-stamp. What is not DER is an error; nothing is
//! guessed, and nothing is copied.

/// Bytes are not what they should be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct NotDer;

/// One element.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct DerElement<'a> {
    /// Its tag, with class and form.
    pub(crate) tag: u8,
    /// What is in it.
    pub(crate) content: &'a [u8],
    /// All of it.
    pub(crate) whole: &'a [u8],
}

/// Reads elements one after the other.
#[derive(Debug, Clone, Copy)]
pub(crate) struct DerReader<'a>(&'a [u8]);

pub(crate) const INTEGER: u8 = 0x02;
pub(crate) const BIT_STRING: u8 = 0x03;
pub(crate) const OCTET_STRING: u8 = 0x04;
pub(crate) const OID: u8 = 0x06;
pub(crate) const UTF8_STRING: u8 = 0x0c;
pub(crate) const GENERALIZED_TIME: u8 = 0x18;
pub(crate) const SEQUENCE: u8 = 0x30;
pub(crate) const SET: u8 = 0x31;
pub(crate) const BOOLEAN: u8 = 0x01;

/// The tag of a constructed element with a number of its context.
pub(crate) const fn context(number: u8) -> u8 {
    0xa0 | number
}

impl<'a> DerReader<'a> {
    /// Reads the elements of these bytes.
    pub(crate) const fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    /// Whether nothing is left.
    pub(crate) const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Reads the next element.
    pub(crate) fn any(&mut self) -> Result<DerElement<'a>, NotDer> {
        let all = self.0;
        let (&tag, rest) = all.split_first().ok_or(NotDer)?;
        // Tags of more than one byte stand nowhere in what is read here.
        if tag & 0x1f == 0x1f {
            return Err(NotDer);
        }
        let (length, rest) = length(rest)?;
        let (content, rest) = rest.split_at_checked(length).ok_or(NotDer)?;
        let whole = all.get(..all.len().saturating_sub(rest.len())).ok_or(NotDer)?;
        self.0 = rest;
        Ok(DerElement { tag, content, whole })
    }

    /// Reads the next element, which has this tag.
    pub(crate) fn expect(&mut self, tag: u8) -> Result<DerElement<'a>, NotDer> {
        self.any().and_then(|element| if element.tag == tag { Ok(element) } else { Err(NotDer) })
    }

    /// Reads the next element if it has this tag.
    pub(crate) fn optional(&mut self, tag: u8) -> Result<Option<DerElement<'a>>, NotDer> {
        if self.0.first() == Some(&tag) { self.any().map(Some) } else { Ok(None) }
    }

    /// Makes sure that nothing is left.
    pub(crate) fn end(&self) -> Result<(), NotDer> {
        if self.is_empty() { Ok(()) } else { Err(NotDer) }
    }
}

impl<'a> DerElement<'a> {
    /// Reads what is in it.
    pub(crate) const fn inside(&self) -> DerReader<'a> {
        DerReader::new(self.content)
    }
}

/// Reads bytes that are one element with this tag.
pub(crate) fn only(bytes: &[u8], tag: u8) -> Result<DerElement<'_>, NotDer> {
    let mut reader = DerReader::new(bytes);
    let element = reader.expect(tag)?;
    reader.end().map(|()| element)
}

/// Returns an element with this tag and content.
pub(crate) fn wrap(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = content.len().to_be_bytes();
    let significant = length.iter().skip_while(|byte| **byte == 0).copied().collect::<Vec<u8>>();
    let mut whole = vec![tag];
    match content.len() {
        short @ 0..=0x7f => whole.push(u8::try_from(short).unwrap_or(0)),
        _ => {
            whole.push(0x80 | u8::try_from(significant.len()).unwrap_or(0));
            whole.extend(significant);
        }
    }
    whole.extend(content);
    whole
}

/// Reads a length, written in the one way that DER allows.
fn length(bytes: &[u8]) -> Result<(usize, &[u8]), NotDer> {
    let (&first, rest) = bytes.split_first().ok_or(NotDer)?;
    if first < 0x80 {
        return Ok((usize::from(first), rest));
    }
    let (digits, rest) = rest.split_at_checked(usize::from(first & 0x7f)).ok_or(NotDer)?;
    // A bundle has at most a MiB, so that three bytes are enough.
    if digits.is_empty() || digits.len() > 3 || digits.first() == Some(&0) {
        return Err(NotDer);
    }
    let length = digits.iter().fold(0_usize, |length, digit| (length << 8) | usize::from(*digit));
    if length < 0x80 { Err(NotDer) } else { Ok((length, rest)) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn only_der_is_read() {
        let read = |bytes: &[u8]| DerReader::new(bytes).any().map(|element| element.content.to_vec());
        assert_eq!(read(&[4, 2, 1, 2]), Ok(vec![1, 2]));
        assert_eq!(read(&[&[4, 0x81, 0x80][..], &[7; 128]].concat()), Ok(vec![7; 128]));
        let wrong: [&[u8]; 9] = [
            &[],
            &[4],
            &[4, 2, 1],
            // Lengths that are not as short as they can be, or have no end.
            &[4, 0x81, 1, 1],
            &[4, 0x82, 0, 1, 1],
            &[4, 0x80, 1, 0, 0],
            &[4, 0x84, 0, 0, 0, 1, 1],
            &[4, 0xff, 1],
            // A tag of two bytes.
            &[0x1f, 0x81, 1, 0],
        ];
        for bytes in wrong {
            assert_eq!(read(bytes), Err(NotDer), "{bytes:?}");
        }
    }

    proptest! {
        #[test]
        fn what_is_wrapped_is_read_again(content in prop::collection::vec(any::<u8>(), 0..70_000)) {
            let whole = wrap(OCTET_STRING, &content);
            prop_assert_eq!(only(&whole, OCTET_STRING).map(|it| it.content), Ok(content.as_slice()));
            let more = [whole, vec![0]].concat();
            prop_assert_eq!(only(&more, OCTET_STRING), Err(NotDer));
        }

        #[test]
        fn no_bytes_are_a_panic(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
            let mut reader = DerReader::new(&bytes);
            while reader.any().is_ok() {}
        }
    }
}
