//! Whose facts a layer believes: registries, or those who sign for them.
//!
//! `keys` reads the entries; `pipeline` holds statements against them.

use std::fmt;
use std::time::Duration;

use serde_json::Value;
use serde_json::json;

use smcp_model::name::PackageWord;
use smcp_model::registry::Registry;
use smcp_model::signer::SignedBy;

/// An entry of `trusted_registries`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrustedRegistry {
    /// The registry.
    pub registry: Registry,
    /// Whose statements are believed in place of the registry's own words; `None` when its own words are.
    pub statements: Option<StatementRule>,
    /// The namespaces of a registry like the official one that count as verified.
    pub verified_namespaces: Vec<PackageWord>,
}

/// Whose signed statements about packages are believed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatementRule {
    /// Who must have signed a statement.
    pub signed_by: SignedBy,
    /// How old a statement may be; `None` when only its own end counts.
    pub max_age: Option<Duration>,
    /// Whether a package without a statement that holds is an error of integrity.
    pub require: bool,
}

impl TrustedRegistry {
    /// An entry that believes what the registry itself says.
    pub const fn plain(registry: Registry) -> Self {
        Self { registry, statements: None, verified_namespaces: Vec::new() }
    }

    /// Whether it says nothing but the name.
    pub(crate) const fn is_plain(&self) -> bool {
        self.statements.is_none() && self.verified_namespaces.is_empty()
    }

    /// Returns the entry as a configuration has it.
    pub(crate) fn written(&self) -> Value {
        let registry = self.registry.to_string();
        let Some(StatementRule { signed_by, max_age, require }) = &self.statements else {
            if self.is_plain() {
                return json!(registry);
            }
            return json!({"registry": registry, "verified_namespaces": self.verified_namespaces});
        };
        let mut entry = json!({"registry": registry, "signed_by": signed_by.written()});
        if let Value::Object(members) = &mut entry {
            let text = |age: &Duration| humantime::format_duration(*age).to_string().replace(' ', "");
            members.extend(max_age.as_ref().map(|age| ("max_age".to_owned(), json!(text(age)))));
            members.insert("require".to_owned(), json!(require));
        }
        entry
    }
}

impl fmt::Display for TrustedRegistry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.registry.fmt(f)?;
        self.statements.as_ref().map_or(Ok(()), |rule| write!(f, " (signed by {})", rule.signed_by))
    }
}

/// Returns the entry for a registry. Of several that mean the same directory, one that asks for signatures counts.
pub(crate) fn entry_for<'t>(trusted: &'t [TrustedRegistry], registry: &Registry) -> Option<&'t TrustedRegistry> {
    let mut fitting = trusted.iter().filter(|entry| entry.registry == *registry);
    let first = fitting.next()?;
    if first.statements.is_some() {
        Some(first)
    } else {
        Some(fitting.find(|it| it.statements.is_some()).unwrap_or(first))
    }
}
