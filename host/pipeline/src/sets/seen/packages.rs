//! The newest statements that were seen: a section of `~/.mcp/seen.json`.
//!
//! It is of a layer and a registry: a layer that believes others has another newest one. An entry is dropped when no older
//! statement could be valid any more.

use serde_json::Value;
use serde_json::json;

use smcp_model::digest::Digest;
use smcp_model::limits::statements as limits;
use smcp_model::policy::LayerName;
use smcp_model::time;

/// The statements that were seen.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct SeenPackages(Vec<SeenStatement>);

/// The newest statement about a version that a layer has believed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SeenStatement {
    /// The layer.
    pub(crate) layer: LayerName,
    /// The registry that the package came from.
    pub(crate) registry: String,
    /// `org/name@version`.
    pub(crate) package: String,
    /// The number of the statement.
    pub(crate) sequence: u64,
    /// Its digest.
    pub(crate) digest: Digest,
    /// Whoever had signed it and was believed; empty in entries of older versions.
    pub(crate) signers: Vec<String>,
    /// When it was seen first, in seconds since the Unix epoch.
    pub(crate) seen_at: u64,
}

/// A statement that was seen just now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct NewlySeen {
    /// What is to be remembered.
    pub(crate) statement: SeenStatement,
    /// The digest of what was seen before, when nobody who had signed that is believed any more.
    pub(crate) freed: Option<Digest>,
}

impl SeenPackages {
    /// Whether nothing was seen.
    pub(crate) const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn parse(value: Value) -> Option<Self> {
        let Value::Array(all) = value else { return None };
        all.iter().map(SeenStatement::parse).collect::<Option<_>>().map(Self)
    }

    /// The section; `None` when nothing was seen.
    pub(super) fn written(&self) -> Option<Value> {
        (!self.0.is_empty()).then(|| self.0.iter().map(SeenStatement::written).collect())
    }

    /// Returns what a layer has seen about a version.
    pub(crate) fn of(&self, layer: LayerName, registry: &str, package: &str) -> Option<&SeenStatement> {
        self.0.iter().find(|seen| seen.is_about(layer, registry, package))
    }

    /// Notes a statement. A newer one that another smcp has noted meanwhile stays.
    pub(crate) fn note(&mut self, NewlySeen { statement, freed }: NewlySeen, now: u64) {
        let known =
            self.0.iter_mut().find(|seen| seen.is_about(statement.layer, &statement.registry, &statement.package));
        match known {
            Some(known) if known.sequence >= statement.sequence && freed != Some(known.digest) => {}
            Some(known) => *known = statement,
            None => self.0.push(statement),
        }
        // What was made before it ends a year later at the latest.
        let is_over = |seen: &SeenStatement| seen.seen_at.saturating_add(2 * limits::VALIDITY.as_secs()) < now;
        self.0.retain(|seen| !is_over(seen));
        if self.0.len() > limits::SEEN {
            self.drop_oldest();
        }
    }

    /// Drops the entry that was seen first; returns whether there was one.
    pub(crate) fn drop_oldest(&mut self) -> bool {
        let oldest = self.0.iter().enumerate().min_by_key(|(_, seen)| seen.seen_at).map(|(index, _)| index);
        oldest.map(|index| self.0.remove(index)).is_some()
    }
}

impl SeenStatement {
    fn is_about(&self, layer: LayerName, registry: &str, package: &str) -> bool {
        self.layer == layer && self.registry == registry && self.package == package
    }

    fn parse(value: &Value) -> Option<Self> {
        let text = |key| value.get(key)?.as_str();
        Some(Self {
            layer: serde_json::from_value(value.get("layer")?.clone()).ok()?,
            registry: text("registry")?.to_owned(),
            package: text("package")?.to_owned(),
            sequence: value.get("sequence")?.as_u64()?,
            digest: text("digest")?.parse().ok()?,
            signers: value
                .get("signers")
                .map_or_else(|| Some(Vec::new()), |all| serde_json::from_value(all.clone()).ok())?,
            seen_at: time::seconds_of(text("seen_at")?)?,
        })
    }

    fn written(&self) -> Value {
        let Self { layer, registry, package, sequence, digest, signers, seen_at } = self;
        json!({
            "layer": layer,
            "registry": registry,
            "package": package,
            "sequence": sequence,
            "digest": digest,
            "signers": signers,
            "seen_at": time::utc_of(*seen_at),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn statement(package: &str, sequence: u64, seen_at: u64) -> NewlySeen {
        let statement = SeenStatement {
            layer: LayerName::User,
            registry: "/srv/r".to_owned(),
            package: package.to_owned(),
            sequence,
            digest: Digest::of(&sequence.to_be_bytes()),
            signers: vec!["minisign RW".to_owned()],
            seen_at,
        };
        NewlySeen { statement, freed: None }
    }

    #[test]
    fn what_nobody_vouches_for_any_more_gives_way() {
        let mut seen = SeenPackages::default();
        seen.note(statement("a/b@1", 9, 7), 7);
        let freed = Some(Digest::of(&9_u64.to_be_bytes()));
        seen.note(NewlySeen { freed, ..statement("a/b@1", 2, 8) }, 8);
        assert_eq!(seen.of(LayerName::User, "/srv/r", "a/b@1").unwrap().sequence, 2);
        // Meanwhile another smcp has noted a newer one by whoever is believed.
        seen.note(statement("a/b@1", 4, 9), 9);
        seen.note(NewlySeen { freed, ..statement("a/b@1", 3, 9) }, 9);
        assert_eq!(seen.of(LayerName::User, "/srv/r", "a/b@1").unwrap().sequence, 4);
    }

    #[test]
    fn an_entry_without_signers_is_read() {
        let mut seen = SeenPackages::default();
        seen.note(statement("a/b@1", 9, 7), 7);
        let mut written = seen.written().unwrap();
        written[0].as_object_mut().unwrap().remove("signers");
        let read = SeenPackages::parse(written.clone()).unwrap();
        assert_eq!(read.of(LayerName::User, "/srv/r", "a/b@1").unwrap().signers, Vec::<String>::new());
        written[0]["signers"] = json!("RW");
        assert_eq!(SeenPackages::parse(written), None);
    }

    #[test]
    fn what_is_newer_is_never_forgotten_for_what_is_older() {
        let mut seen = SeenPackages::default();
        for (sequence, expected) in [(3, 3), (2, 3), (4, 4), (1, 4)] {
            seen.note(statement("a/b@1", sequence, 7), 7);
            assert_eq!(seen.of(LayerName::User, "/srv/r", "a/b@1").unwrap().sequence, expected);
        }
        for (layer, registry, package) in [
            (LayerName::System, "/srv/r", "a/b@1"),
            (LayerName::User, "/srv/q", "a/b@1"),
            (LayerName::User, "/srv/r", "a/b@2"),
        ] {
            assert_eq!(seen.of(layer, registry, package), None);
        }
        assert_eq!(SeenPackages::parse(seen.written().unwrap()), Some(seen));
        assert_eq!(SeenPackages::default().written(), None);
    }

    #[test]
    fn an_entry_goes_when_no_older_statement_could_be_valid() {
        let year = limits::VALIDITY.as_secs();
        let mut seen = SeenPackages::default();
        seen.note(statement("a/b@1", 1, 10), 10);
        seen.note(statement("a/b@2", 1, 10 + 2 * year), 10 + 2 * year);
        assert!(seen.of(LayerName::User, "/srv/r", "a/b@1").is_some());
        seen.note(statement("a/b@2", 2, 11 + 2 * year), 11 + 2 * year);
        assert_eq!(seen.of(LayerName::User, "/srv/r", "a/b@1"), None);
    }

    #[test]
    fn the_list_is_bounded() {
        let mut seen = SeenPackages::default();
        for number in 0..=limits::SEEN {
            seen.note(statement(&format!("a/b@{number}"), 1, number as u64), number as u64);
        }
        assert_eq!(seen.0.len(), limits::SEEN);
        assert_eq!(seen.of(LayerName::User, "/srv/r", "a/b@0"), None);
        for damaged in [json!({}), json!([{}]), json!([{"layer": "user"}])] {
            assert_eq!(SeenPackages::parse(damaged), None);
        }
    }
}
