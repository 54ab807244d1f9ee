//! A policy set in force, as lists and reports say it.

use std::fmt;
use std::time::Duration;

use crate::digest::Digest;
use crate::policy::LayerName;
use crate::text::SafeText;

/// A policy set in force.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct SetStatus {
    /// Its layer.
    pub layer: LayerName,
    /// Where it comes from.
    pub source: SafeText,
    /// The number of its version.
    pub version: u64,
    /// When it ends to be valid: RFC 3339, UTC.
    pub expires: Option<String>,
    /// The digest of its archive.
    pub digest: Digest,
    /// Who has signed it; `None` when nobody need to have.
    pub signer: Option<SafeText>,
    /// When a good set was last found at its source: RFC 3339, UTC; `None` where a digest fixes it.
    pub looked_at: Option<String>,
    /// How long ago that was.
    #[serde(skip)]
    pub age: Option<Duration>,
}

/// An age that is not worth a word.
const JUST_NOW: Duration = Duration::from_secs(60);

/// Writes all but the layer, on one line.
impl fmt::Display for SetStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { layer: _, source, version, expires, digest: _, signer, looked_at: _, age } = self;
        write!(
            f,
            "version {version} of {source}, valid until {}",
            expires.as_deref().unwrap_or("a day without a name")
        )?;
        match signer {
            Some(signer) => write!(f, ", signed by {signer}")?,
            None => f.write_str(", by whoever can write there")?,
        }
        match age.filter(|age| *age >= JUST_NOW) {
            Some(age) => write!(f, ", found there {} ago", humantime::format_duration(in_minutes(age))),
            None => Ok(()),
        }
    }
}

fn in_minutes(age: Duration) -> Duration {
    Duration::from_secs(age.as_secs() / 60 * 60)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_is_said_on_one_line() {
        let status = SetStatus {
            layer: LayerName::SystemSet,
            source: "oci://r.example/rules:1".into(),
            version: 12,
            expires: Some("2027-06-30T00:00:00Z".to_owned()),
            digest: Digest::of(b"x"),
            signer: Some("minisign RW".into()),
            looked_at: None,
            age: Some(Duration::from_secs(2 * 3600 + 125)),
        };
        let said = "version 12 of oci://r.example/rules:1, valid until 2027-06-30T00:00:00Z, signed by minisign RW, found \
                    there 2h 2m ago";
        assert_eq!(status.to_string(), said);
        let unsigned = SetStatus { signer: None, age: Some(Duration::from_secs(59)), ..status };
        assert!(unsigned.to_string().ends_with("Z, by whoever can write there"), "{unsigned}");
    }
}
