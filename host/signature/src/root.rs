//! A trusted root: the authorities and logs that are believed, each for a time.
//!
//! The form is Sigstore's `trusted_root.json`. The public one is part of the program (docs/decisions/0050).

use serde::Deserialize;

use crate::json::Base64Bytes;
use crate::json::Moment;
use crate::public_key::PublicKey;

/// Sigstore's public authorities and logs, as its own clients ship them.
const PUBLIC: &[u8] = include_bytes!("public_root.json");

/// The authorities and logs of one root.
#[derive(Debug, Clone)]
pub(crate) struct Roots {
    /// Transparency logs of signatures.
    pub(crate) logs: Vec<TrustedLog>,
    /// Transparency logs of certificates.
    pub(crate) certificate_logs: Vec<TrustedLog>,
    /// Authorities for certificates.
    pub(crate) authorities: Vec<Authority>,
    /// Authorities for time-stamps.
    pub(crate) clocks: Vec<Authority>,
}

/// A log.
#[derive(Debug, Clone)]
pub(crate) struct TrustedLog {
    /// Its name in entries.
    pub(crate) id: Vec<u8>,
    /// Its key.
    pub(crate) key: PublicKey,
    /// When the key is believed.
    pub(crate) window: Window,
}

/// An authority: its certificates, those nearest to what it signs first, and its root last.
#[derive(Debug, Clone)]
pub(crate) struct Authority {
    pub(crate) chain: Vec<Vec<u8>>,
    /// When it is believed.
    pub(crate) window: Window,
}

/// A time, with both ends in it.
#[derive(Debug, Clone, Copy, Default, Deserialize)]
pub(crate) struct Window {
    start: Option<Moment>,
    end: Option<Moment>,
}

/// A file is no trusted root.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("it is no trusted root as Sigstore has it (`trusted_root.json`): {0}")]
pub struct RootsError(String);

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawRoot {
    media_type: String,
    #[serde(default)]
    tlogs: Vec<RawLog>,
    #[serde(default)]
    ctlogs: Vec<RawLog>,
    #[serde(default)]
    certificate_authorities: Vec<RawAuthority>,
    #[serde(default)]
    timestamp_authorities: Vec<RawAuthority>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawLog {
    public_key: RawKey,
    log_id: RawId,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawKey {
    raw_bytes: Base64Bytes,
    #[serde(default)]
    valid_for: Window,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawId {
    key_id: Base64Bytes,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawAuthority {
    cert_chain: RawChain,
    #[serde(default)]
    valid_for: Window,
}

#[derive(Deserialize)]
struct RawChain {
    certificates: Vec<RawCertificate>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawCertificate {
    raw_bytes: Base64Bytes,
}

impl Roots {
    /// Sigstore's public authorities and logs.
    ///
    /// # Errors
    /// [`RootsError`], which a test rules out.
    pub(crate) fn public() -> Result<Self, RootsError> {
        Self::from_json(PUBLIC)
    }

    /// Reads a trusted root.
    ///
    /// # Errors
    /// [`RootsError`].
    pub(crate) fn from_json(text: &[u8]) -> Result<Self, RootsError> {
        let raw: RawRoot = serde_json::from_slice(text).map_err(|error| RootsError(error.to_string()))?;
        let RawRoot { media_type, tlogs, ctlogs, certificate_authorities, timestamp_authorities } = raw;
        if !media_type.starts_with("application/vnd.dev.sigstore.trustedroot") {
            return Err(RootsError("its mediaType is another".to_owned()));
        }
        let logs =
            |raw: Vec<RawLog>| -> Result<Vec<TrustedLog>, RootsError> { raw.into_iter().map(TrustedLog::of).collect() };
        let authorities = |raw: Vec<RawAuthority>| -> Result<Vec<Authority>, RootsError> {
            raw.into_iter().map(Authority::of).collect()
        };
        Ok(Self {
            logs: logs(tlogs)?,
            certificate_logs: logs(ctlogs)?,
            authorities: authorities(certificate_authorities)?,
            clocks: authorities(timestamp_authorities)?,
        })
    }
}

impl TrustedLog {
    fn of(raw: RawLog) -> Result<Self, RootsError> {
        let RawLog { public_key: RawKey { raw_bytes, valid_for }, log_id: RawId { key_id } } = raw;
        let key = PublicKey::of_log(&raw_bytes.0).map_err(|_| RootsError("a log has no key that is known".into()))?;
        Ok(Self { id: key_id.0, key, window: valid_for })
    }
}

impl Authority {
    fn of(raw: RawAuthority) -> Result<Self, RootsError> {
        let RawAuthority { cert_chain: RawChain { certificates }, valid_for } = raw;
        if certificates.is_empty() {
            return Err(RootsError("an authority has no certificate".to_owned()));
        }
        let chain = certificates.into_iter().map(|certificate| certificate.raw_bytes.0).collect();
        Ok(Self { chain, window: valid_for })
    }
}

impl Window {
    /// Whether a moment is in it.
    pub(crate) fn holds(&self, at: Moment) -> bool {
        self.start.is_none_or(|start| start <= at) && self.end.is_none_or(|end| at <= end)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_public_root_is_in_the_program() {
        let roots = Roots::public().unwrap();
        let Roots { logs, certificate_logs, authorities, clocks } = &roots;
        let counts = [logs.len(), certificate_logs.len(), authorities.len(), clocks.len()];
        assert!(counts.iter().all(|count| *count > 0), "{counts:?}");
    }

    #[test]
    fn a_root_that_is_something_else_is_refused() {
        let media = r#""mediaType":"application/vnd.dev.sigstore.trustedroot+json;version=0.1""#;
        let cases = [
            ("", "EOF"),
            ("{}", "missing field `mediaType`"),
            (r#"{"mediaType":"text/plain"}"#, "its mediaType is another"),
            (
                &format!(r#"{{{media},"tlogs":[{{"publicKey":{{"rawBytes":"AAAA"}},"logId":{{"keyId":""}}}}]}}"#),
                "no key",
            ),
            (
                &format!(r#"{{{media},"certificateAuthorities":[{{"certChain":{{"certificates":[]}}}}]}}"#),
                "no certificate",
            ),
        ];
        for (text, says) in cases {
            let error = Roots::from_json(text.as_bytes()).unwrap_err().to_string();
            assert!(error.contains(says), "{text}: {error}");
        }
    }
}
