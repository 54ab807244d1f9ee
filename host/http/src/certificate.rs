//! Explains errors of TLS: the problem, and the advice.

use std::time::Duration;
use std::time::UNIX_EPOCH;

use rustls::CertificateError;
use rustls::Error;
use rustls::pki_types::UnixTime;

use crate::problem::HttpProblem;
use crate::problem::shown;

/// How many names of a certificate are shown.
const NAMES: usize = 5;
/// The last second of the year 9999, since the Unix epoch: later years have more than four digits.
const YEAR_9999: u64 = 253_402_300_799;

/// The advice about an unknown authority.
const COMPANY: &str = "if a company's own authority signs its certificate, name that in SSL_CERT_FILE (in `ca_file` of the administrator's \
     rules, where they rely on this registry) or add it to the system's store";
/// The advice about a certificate that only the server's owner can replace.
fn renew(noun: &str) -> String {
    format!("the {noun} has to get another certificate")
}

/// Explains an error of TLS. Messages call the server `noun`.
#[expect(clippy::wildcard_enum_match_arm, reason = "rustls adds kinds of errors as it likes")]
pub(crate) fn untrusted(error: &Error, noun: &str) -> HttpProblem {
    let (what, advice) = match error {
        Error::InvalidCertificate(error) => certificate(error, noun),
        Error::InvalidMessage(_) => (
            "what answered speaks no TLS".to_owned(),
            "check the address and its port; https:// needs a server that encrypts".to_owned(),
        ),
        Error::NoCertificatesPresented => ("it shows no certificate".to_owned(), renew(noun)),
        Error::AlertReceived(alert) => (
            format!("it refuses the connection ({})", words_of(&format!("{alert:?}"))),
            "it may speak older TLS than 1.2 only, or ask for a client's certificate, which smcp has none of"
                .to_owned(),
        ),
        Error::PeerIncompatible(_) => (
            "it speaks no version or cipher of TLS that smcp does".to_owned(),
            format!("the {noun} needs TLS 1.2 or 1.3"),
        ),
        Error::PeerMisbehaved(_) | Error::InappropriateMessage { .. } | Error::InappropriateHandshakeMessage { .. } => {
            (
                "it breaks the rules of TLS".to_owned(),
                format!("something between this machine and the {noun} may change what they say"),
            )
        }
        Error::DecryptError => (
            "what it sends can't be decrypted".to_owned(),
            format!("something between this machine and the {noun} may change what they say"),
        ),
        other => (format!("no connection with TLS came about ({})", words_of(&kind(other))), COMPANY.to_owned()),
    };
    HttpProblem::Tls { what: shown(&what), advice: shown(&advice) }
}

#[expect(clippy::wildcard_enum_match_arm, reason = "rustls adds kinds of errors as it likes")]
fn certificate(error: &CertificateError, noun: &str) -> (String, String) {
    let clock = "is this machine's clock right? `smcp doctor` shows it";
    match error {
        CertificateError::ExpiredContext { time, not_after } => (
            format!("its certificate ended at {}, and it is {} by this machine's clock", date(*not_after), date(*time)),
            format!("{clock}; if it is, {}", renew(noun)),
        ),
        CertificateError::Expired => ("its certificate has ended".to_owned(), format!("{clock}; if it is, {}", renew(noun))),
        CertificateError::NotValidYetContext { time, not_before } => (
            format!("its certificate begins at {}, and it is {} by this machine's clock", date(*not_before), date(*time)),
            clock.to_owned(),
        ),
        CertificateError::NotValidYet => ("its certificate is not valid yet".to_owned(), clock.to_owned()),
        CertificateError::NotValidForNameContext { expected, presented } => (
            format!("its certificate is for {}, and not for {}", names(presented), expected.to_str()),
            format!("check the address; something else may answer in the {noun}'s place, such as a proxy or a log-in page"),
        ),
        CertificateError::NotValidForName => (
            "its certificate is for another name".to_owned(),
            format!("check the address; something else may answer in the {noun}'s place, such as a proxy or a log-in page"),
        ),
        CertificateError::UnknownIssuer => {
            ("its certificate is from an authority that this system does not know".to_owned(), COMPANY.to_owned())
        }
        CertificateError::BadSignature => (
            "its certificate is not signed by the authority that it names".to_owned(),
            "an authority of the same name has another key: name the right one in SSL_CERT_FILE; else somebody forges it"
                .to_owned(),
        ),
        CertificateError::Revoked => ("its certificate was revoked".to_owned(), renew(noun)),
        CertificateError::InvalidPurpose | CertificateError::InvalidPurposeContext { .. } => {
            ("its certificate is not one for servers".to_owned(), renew(noun))
        }
        CertificateError::BadEncoding => ("its certificate is malformed".to_owned(), renew(noun)),
        CertificateError::UnsupportedSignatureAlgorithmContext { .. }
        | CertificateError::UnsupportedSignatureAlgorithmForPublicKeyContext { .. } => {
            ("its certificate is signed in a way that is not accepted any more, such as with SHA-1".to_owned(), renew(noun))
        }
        CertificateError::Other(other) => match other.0.downcast_ref::<webpki::Error>() {
            Some(webpki::Error::CaUsedAsEndEntity) => (
                "its certificate is that of an authority (CA:TRUE), which can't be a server's own".to_owned(),
                "sign a server's certificate with it and keep it in SSL_CERT_FILE, or make one that is no authority: \
                 openssl req -x509 -addext basicConstraints=critical,CA:FALSE …"
                    .to_owned(),
            ),
            Some(error) => (format!("its certificate does not hold ({})", words_of(&format!("{error:?}"))), renew(noun)),
            None => ("its certificate does not hold".to_owned(), renew(noun)),
        },
        other => (format!("its certificate does not hold ({})", words_of(&format!("{other:?}"))), renew(noun)),
    }
}

/// Formats a time as `2020-01-01 00:00:00 UTC`.
fn date(time: UnixTime) -> String {
    let moment = UNIX_EPOCH.checked_add(Duration::from_secs(time.as_secs().min(YEAR_9999)));
    let text = moment.map_or_else(String::new, |moment| humantime::format_rfc3339_seconds(moment).to_string());
    text.replace('T', " ").replace('Z', " UTC")
}

/// Lists the names of a certificate. rustls gives them as `DnsName("…")` and `IpAddress(…)`.
fn names(presented: &[String]) -> String {
    let bare = |name: &String| {
        let inside = name.split_once('(').and_then(|(_, rest)| rest.strip_suffix(')')).unwrap_or(name);
        inside.trim_matches('"').to_owned()
    };
    let mut text = presented.iter().take(NAMES).map(bare).collect::<Vec<_>>().join(", ");
    let more = presented.len().saturating_sub(NAMES);
    if more > 0 {
        text.push_str(&format!(" and {more} more"));
    }
    if text.is_empty() { "no name".to_owned() } else { text }
}

/// The name of a variant, without its fields.
fn kind(error: &Error) -> String {
    let text = format!("{error:?}");
    text.split(['(', ' ', '{']).next().unwrap_or_default().to_owned()
}

/// Splits the name of a variant into words: `CaUsedAsEndEntity` is `ca used as end entity`.
fn words_of(name: &str) -> String {
    let mut words = String::new();
    let name = name.split(['(', ' ', '{']).next().unwrap_or_default();
    for character in name.chars() {
        if character.is_uppercase() && !words.is_empty() {
            words.push(' ');
        }
        words.extend(character.to_lowercase());
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_dates_are_for_people() {
        let presented: Vec<_> = (1..=7).map(|number| format!("DnsName(\"{number}.example\")")).collect();
        assert_eq!(names(&presented), "1.example, 2.example, 3.example, 4.example, 5.example and 2 more");
        assert_eq!(names(&["IpAddress(127.0.0.1)".to_owned()]), "127.0.0.1");
        assert_eq!(names(&[]), "no name");
        let at = |seconds| date(UnixTime::since_unix_epoch(Duration::from_secs(seconds)));
        assert_eq!(at(1_577_836_800), "2020-01-01 00:00:00 UTC");
        assert_eq!(at(u64::MAX), "9999-12-31 23:59:59 UTC");
        assert_eq!(words_of("CaUsedAsEndEntity(3)"), "ca used as end entity");
    }
}
