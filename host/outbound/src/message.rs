//! Reads questions for names, and writes answers (RFC 1035).
//!
//! A question has one form, and nothing else is read: no compression, one question, no more than a name has.

use std::net::Ipv4Addr;

/// The bytes of the head.
const HEAD: usize = 12;
/// The longest label, and the longest name, bytes.
const LABEL: usize = 63;
const NAME: usize = 255;
/// The types of an address of the old kind and of the new one, and the class of the internet.
pub(crate) const ADDRESS: u16 = 1;
pub(crate) const NEW_ADDRESS: u16 = 28;
const INTERNET: u16 = 1;
/// The time that an answer holds, seconds.
const SECONDS: u32 = 30;

/// How a question is answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NameOutcome {
    /// The name has this address.
    Address(Ipv4Addr),
    /// The name is there, and has nothing of this type.
    Nothing,
    /// The question is not one.
    Malformed,
    /// Nobody could be asked.
    Failed,
    /// There is no such name.
    NoSuchName,
    /// Another kind of request than a question.
    NotKnown,
    /// Of another class than the internet.
    Refused,
}

/// A question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct NameQuestion {
    /// The number, the flags of the question, and the question as it was sent.
    head: [u8; 4],
    asked: Vec<u8>,
    /// The name in small letters; `None` for one that no host has.
    pub(crate) name: Option<String>,
    /// The type of what is asked for.
    pub(crate) kind: u16,
}

impl NameQuestion {
    /// Reads a message: a question, an answer to what is none, or nothing for what gets no answer.
    pub(crate) fn read(message: &[u8]) -> Result<Self, Option<Vec<u8>>> {
        let Some(([a, b, c, d, counts @ ..], rest)) = message.split_first_chunk::<HEAD>() else { return Err(None) };
        let empty = Self { head: [*a, *b, *c, *d], asked: Vec::new(), name: None, kind: 0 };
        // It is an answer itself.
        if c & 0x80 != 0 {
            return Err(None);
        }
        let refuse = |outcome| Err(Some(empty.answer(outcome)));
        if c & 0x78 != 0 {
            return refuse(NameOutcome::NotKnown);
        }
        if counts.first_chunk::<2>() != Some(&[0, 1]) {
            return refuse(NameOutcome::Malformed);
        }
        let Some((name, length)) = name(rest) else { return refuse(NameOutcome::Malformed) };
        let Some([kind_high, kind_low, class @ ..]) = rest.get(length..).and_then(|rest| rest.first_chunk::<4>())
        else {
            return refuse(NameOutcome::Malformed);
        };
        if u16::from_be_bytes(*class) != INTERNET {
            return refuse(NameOutcome::Refused);
        }
        let asked = rest.get(..length + 4).unwrap_or_default().to_vec();
        Ok(Self { asked, name, kind: u16::from_be_bytes([*kind_high, *kind_low]), ..empty })
    }

    /// Writes the answer.
    pub(crate) fn answer(&self, outcome: NameOutcome) -> Vec<u8> {
        let code = match outcome {
            NameOutcome::Address(_) | NameOutcome::Nothing => 0,
            NameOutcome::Malformed => 1,
            NameOutcome::Failed => 2,
            NameOutcome::NoSuchName => 3,
            NameOutcome::NotKnown => 4,
            NameOutcome::Refused => 5,
        };
        let [number_high, number_low, flags, _] = self.head;
        // An answer, with the kind of request and the wish for recursion as they were; recursion is available.
        let mut answer = vec![number_high, number_low, 0x80 | (flags & 0x79), 0x80 | code];
        answer.extend([0, u8::from(!self.asked.is_empty()), 0, 0, 0, 0, 0, 0]);
        answer.extend_from_slice(&self.asked);
        if let NameOutcome::Address(address) = outcome {
            if let Some(count) = answer.get_mut(7) {
                *count = 1;
            }
            // The name of the question.
            answer.extend([0xc0, 12]);
            answer.extend([ADDRESS, INTERNET].into_iter().flat_map(u16::to_be_bytes));
            answer.extend(SECONDS.to_be_bytes());
            answer.extend(4_u16.to_be_bytes());
            answer.extend(address.octets());
        }
        answer
    }
}

/// Reads a name, and says how many bytes it has; `None` when it is none.
fn name(bytes: &[u8]) -> Option<(Option<String>, usize)> {
    let mut text = String::new();
    let mut plain = true;
    let mut at = 0;
    loop {
        let length = usize::from(*bytes.get(at)?);
        at += 1;
        if length == 0 {
            break;
        }
        let label = bytes.get(at..at + length).filter(|_| length <= LABEL)?;
        at += length;
        if at >= NAME {
            return None;
        }
        plain &= label.iter().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(byte));
        if !text.is_empty() {
            text.push('.');
        }
        text.push_str(&String::from_utf8_lossy(label).to_ascii_lowercase());
    }
    Some((Some(text).filter(|text| plain && !text.is_empty()), at))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ask(labels: &[&[u8]], kind: u16, class: u16) -> Vec<u8> {
        let mut message = vec![7, 9, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0];
        for label in labels {
            message.push(u8::try_from(label.len()).unwrap());
            message.extend_from_slice(label);
        }
        message.push(0);
        message.extend([kind, class].into_iter().flat_map(u16::to_be_bytes));
        message
    }

    #[test]
    fn a_question_is_answered_as_it_was_asked() {
        let message = ask(&[b"Api", b"example", b"com"], ADDRESS, 1);
        let question = NameQuestion::read(&message).unwrap();
        assert_eq!((question.name.as_deref(), question.kind), (Some("api.example.com"), ADDRESS));
        let answer = question.answer(NameOutcome::Address(Ipv4Addr::new(198, 18, 0, 1)));
        assert_eq!(answer[..8], [7, 9, 0x81, 0x80, 0, 1, 0, 1]);
        assert_eq!(answer[12..message.len()], message[12..], "the letters are those of the question");
        assert_eq!(answer[message.len()..], [0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 30, 0, 4, 198, 18, 0, 1]);
        assert_eq!(question.answer(NameOutcome::NoSuchName)[..8], [7, 9, 0x81, 0x83, 0, 1, 0, 0]);
        assert_eq!(question.answer(NameOutcome::Nothing)[..8], [7, 9, 0x81, 0x80, 0, 1, 0, 0]);
    }

    #[test]
    fn what_is_no_question_is_not_read() {
        let code = |message: &[u8]| NameQuestion::read(message).unwrap_err().map(|answer| answer[3] & 15);
        let good = ask(&[b"example", b"com"], ADDRESS, 1);
        assert_eq!(code(&[]), None);
        assert_eq!(code(&good[..11]), None);
        // An answer must not be answered, or two would talk for ever.
        assert_eq!(code(&[&good[..2], &[0x81], &good[3..]].concat()), None);
        assert_eq!(code(&[&good[..2], &[0x29], &good[3..]].concat()), Some(4));
        assert_eq!(code(&good[..14]), Some(1));
        assert_eq!(code(&good[..good.len() - 1]), Some(1));
        assert_eq!(code(&[&good[..5], &[2], &good[6..]].concat()), Some(1));
        assert_eq!(code(&[&good[..5], &[0], &good[6..]].concat()), Some(1));
        assert_eq!(code(&ask(&[b"example"], ADDRESS, 3)), Some(5));
        // A pointer, to itself and to anywhere.
        for pointer in [[0xc0, 12], [0xc0, 0], [0xff, 0xff]] {
            let message = [&good[..12], &pointer, &[0, 1, 0, 1]].concat();
            assert_eq!(code(&message), Some(1), "{pointer:?}");
        }
        let long: Vec<&[u8]> = vec![b"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"; 4];
        assert_eq!(code(&ask(&long, ADDRESS, 1)), Some(1));
    }

    #[test]
    fn a_name_that_no_host_has_is_none() {
        for labels in
            [vec![b"a b".as_slice()], vec![b"a.b"], vec![b"\xff"], vec![b"*", b"example"], vec![b"a:1"], vec![]]
        {
            assert_eq!(NameQuestion::read(&ask(&labels, ADDRESS, 1)).unwrap().name, None, "{labels:?}");
        }
    }

    #[test]
    fn no_bytes_are_too_strange() {
        let good = ask(&[b"example", b"com"], ADDRESS, 1);
        for place in 0..good.len() {
            for value in 0..=255 {
                let mut changed = good.clone();
                changed[place] = value;
                let answer = match NameQuestion::read(&changed) {
                    Ok(question) => Some(question.answer(NameOutcome::NoSuchName)),
                    Err(answer) => answer,
                };
                assert!(answer.is_none_or(|answer| answer.len() >= HEAD && answer[..2] == changed[..2]));
            }
        }
    }
}
