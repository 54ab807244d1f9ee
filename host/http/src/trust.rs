//! The trusted certificate authorities: the system's, or the user's own.

use std::sync::Arc;

use ureq::tls::Certificate;
use ureq::tls::RootCerts;
use ureq::tls::TlsConfig;

use crate::problem::HttpProblem;
use crate::problem::shown;
use smcp_model::content;

/// The authorities that the environment names. Their certificates are read when they are needed.
#[derive(Debug, Clone, Default)]
pub struct Trust {
    /// The file that `SSL_CERT_FILE` names: its path, and its first bytes or why it can't be read.
    pub file: Option<(String, Result<Vec<u8>, String>)>,
}

/// The advice to unset the variable.
const OR_UNSET: &str = "or take the variable away, and the system's authorities count";

impl Trust {
    /// Loads the system's authorities, or those of `SSL_CERT_FILE` and `SSL_CERT_DIR` in their place.
    pub(crate) fn config(&self) -> Result<TlsConfig, HttpProblem> {
        let loaded = rustls_native_certs::load_native_certs();
        for error in &loaded.errors {
            tracing::warn!(%error, "certificate authorities that can't be read");
        }
        if loaded.certs.is_empty() {
            return Err(self.no_authorities(loaded.errors.first().map(ToString::to_string)));
        }
        let authorities = loaded.certs.iter().map(|certificate| Certificate::from_der(certificate).to_owned());
        Ok(TlsConfig::builder()
            .root_certs(RootCerts::from(authorities))
            .unversioned_rustls_crypto_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .build())
    }

    /// Explains why no authorities were found.
    fn no_authorities(&self, error: Option<String>) -> HttpProblem {
        let problem =
            |what: &str, advice: &str| HttpProblem::NoAuthorities { what: shown(what), advice: shown(advice) };
        let (path, beginning) = match &self.file {
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
