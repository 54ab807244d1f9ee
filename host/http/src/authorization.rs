//! What a request proves who asks with: a header that is never shown.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use smcp_model::secret::Secret;
use smcp_model::secret::SecretError;

/// The value of the header `authorization`. `Debug` does not show it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Authorization {
    scheme: &'static str,
    value: Secret,
}

impl Authorization {
    /// A token.
    pub fn bearer(token: &Secret) -> Self {
        Self { scheme: "Bearer", value: token.clone() }
    }

    /// A name and a password. A name can't have a colon: what follows it would be the password.
    ///
    /// # Errors
    /// When they are too long for a header.
    pub fn basic(user: &str, password: &Secret) -> Result<Self, SecretError> {
        let value = STANDARD.encode(format!("{user}:{}", password.expose()));
        Ok(Self { scheme: "Basic", value: Secret::new(&value)? })
    }

    pub(crate) fn header(&self) -> String {
        format!("{} {}", self.scheme, self.value.expose())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_has_its_scheme_and_is_never_shown() {
        let secret = Secret::new("hunter2").unwrap();
        let (bearer, basic) = (Authorization::bearer(&secret), Authorization::basic("me", &secret).unwrap());
        assert_eq!(
            (bearer.header(), basic.header()),
            ("Bearer hunter2".to_owned(), "Basic bWU6aHVudGVyMg==".to_owned())
        );
        assert!(!format!("{bearer:?}{basic:?}").contains("bWU6") && !format!("{bearer:?}").contains("hunter2"));
    }
}
