//! The trusted certificate authorities: the system's, or the user's own.

use std::path::Path;
use std::sync::Arc;

use rustls_native_certs::CertificateResult;
use rustls_native_certs::load_certs_from_paths;
use ureq::tls::Certificate;
use ureq::tls::PemItem;
use ureq::tls::RootCerts;
use ureq::tls::TlsConfig;

use crate::problem::HttpProblem;
use crate::problem::shown;
use smcp_model::content;

/// Which authorities are trusted. Their certificates are read when they are needed.
#[derive(Debug, Clone)]
pub enum Trust {
    /// Those of `SSL_CERT_FILE` and `SSL_CERT_DIR`, or else the system's own.
    Environment {
        /// The file that `SSL_CERT_FILE` names: its path, and its first bytes or why it can't be read.
        file: Option<(String, Result<Vec<u8>, String>)>,
    },
    /// The system's own, whatever the environment says.
    System,
    /// Those of a file of the configuration.
    File {
        /// Its path, for messages.
        path: String,
        /// Its bytes, or why they can't be read.
        bytes: Result<Vec<u8>, String>,
    },
}

impl Default for Trust {
    fn default() -> Self {
        Self::Environment { file: None }
    }
}

/// Where systems keep their authorities in one file: Debian, Fedora, Alpine and macOS, SUSE.
const BUNDLES: [&str; 4] = [
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/cert.pem",
    "/etc/ssl/ca-bundle.pem",
];

/// The advice to unset the variable.
const OR_UNSET: &str = "or take the variable away, and the system's authorities count";

impl Trust {
    /// Loads the authorities.
    pub(crate) fn config(&self) -> Result<TlsConfig, HttpProblem> {
        let (authorities, error) = match self {
            Self::Environment { .. } => read(rustls_native_certs::load_native_certs()),
            Self::System => read(of_system()),
            Self::File { bytes, .. } => of_file(bytes.as_deref().unwrap_or_default()),
        };
        if authorities.is_empty() {
            return Err(self.no_authorities(error));
        }
        Ok(TlsConfig::builder()
            .root_certs(RootCerts::from(authorities))
            .unversioned_rustls_crypto_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .build())
    }

    /// Explains why no authorities were found.
    fn no_authorities(&self, error: Option<String>) -> HttpProblem {
        let problem =
            |what: &str, advice: &str| HttpProblem::NoAuthorities { what: shown(what), advice: shown(advice) };
        let file = match self {
            Self::Environment { file } => file.as_ref(),
            Self::System => {
                let what =
                    "an administrator's rules rely on this registry, and the system has no certificate authorities";
                return problem(
                    what,
                    "install the system's authorities, or name a file of them as `ca_file` beside those rules",
                );
            }
            Self::File { path, bytes } => return no_authorities_in(path, bytes, error),
        };
        let (path, beginning) = match file {
            None => {
                let what = error.unwrap_or_else(|| "there are no certificate authorities".to_owned());
                let advice = "install the system's certificate authorities, or name a file of them in SSL_CERT_FILE";
                return problem(&what, advice);
            }
            Some((path, Err(reason))) => {
                return problem(
                    &format!("SSL_CERT_FILE names {path}: {reason}"),
                    &format!("name a file of certificates in PEM form, {OR_UNSET}"),
                );
            }
            Some((path, Ok(beginning))) => (path, beginning.as_slice()),
        };
        match beginning {
            [] => problem(
                &format!("SSL_CERT_FILE names {path}, which is empty"),
                &format!("name a file of certificates in PEM form, {OR_UNSET}"),
            ),
            // Every certificate in DER form begins like this: a sequence of more than 127 bytes.
            [0x30, 0x81..=0x83, ..] => problem(
                &format!("SSL_CERT_FILE names {path}, which is in DER form, and PEM is read"),
                &format!("make PEM of it: openssl x509 -inform der -in {path} -out company.pem"),
            ),
            other => {
                let what = content::recognise(other).map_or_else(String::new, |(what, _)| format!(" (it is {what})"));
                let reason = error.map_or_else(String::new, |error| format!(": {error}"));
                problem(
                    &format!("SSL_CERT_FILE names {path}, which has no certificate in PEM form{what}{reason}"),
                    &format!("name a file with -----BEGIN CERTIFICATE----- in it, {OR_UNSET}"),
                )
            }
        }
    }
}

/// Explains why a file of the configuration has no authorities.
fn no_authorities_in(path: &str, bytes: &Result<Vec<u8>, String>, error: Option<String>) -> HttpProblem {
    let reason =
        bytes.as_ref().err().cloned().or(error).unwrap_or_else(|| "it has no certificate in PEM form".to_owned());
    HttpProblem::NoAuthorities {
        what: shown(&format!("the configuration's `ca_file` is {path}: {reason}")),
        advice: shown("name a file with -----BEGIN CERTIFICATE----- in it"),
    }
}

/// The system's authorities, without a look at the environment.
fn of_system() -> CertificateResult {
    let bundles = BUNDLES.into_iter().map(|bundle| load_certs_from_paths(Some(Path::new(bundle)), None));
    let found = bundles.into_iter().find(|loaded| !loaded.certs.is_empty());
    found.unwrap_or_else(|| load_certs_from_paths(None, Some(Path::new("/etc/ssl/certs"))))
}

/// The authorities that were found, and the first error.
fn read(loaded: CertificateResult) -> (Vec<Certificate<'static>>, Option<String>) {
    for error in &loaded.errors {
        tracing::warn!(%error, "certificate authorities that can't be read");
    }
    let authorities = loaded.certs.iter().map(|certificate| Certificate::from_der(certificate).to_owned());
    (authorities.collect(), loaded.errors.first().map(ToString::to_string))
}

/// The authorities in the text of a file.
fn of_file(pem: &[u8]) -> (Vec<Certificate<'static>>, Option<String>) {
    let (mut authorities, mut error) = (Vec::new(), None);
    for item in ureq::tls::parse_pem(pem) {
        match item {
            Ok(PemItem::Certificate(certificate)) => authorities.push(certificate),
            Ok(_) => {}
            Err(wrong) => error = error.or_else(|| Some(wrong.to_string())),
        }
    }
    (authorities, error)
}
