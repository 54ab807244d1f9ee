//! `~/.mcp/seen.json`: what smcp has seen of policy sets, and of packages.
//!
//! It is not in the cache, because an older set must not come into force when the cache is emptied. Keys that this
//! version does not know stay as they are.

pub(crate) mod packages;

use serde_json::Map;
use serde_json::Value;
use serde_json::json;

use crate::sets::seen::packages::SeenPackages;
use smcp_model::digest::Digest;
use smcp_model::policy::LayerName;
use smcp_model::source::SetSource;
use smcp_model::time;

const SCHEMA: &str = "smcp.seen/1";

/// What was seen until now.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct SeenDocument {
    /// The latest time at which a set was looked at, in seconds since the Unix epoch; 0 before the first.
    pub(crate) time: u64,
    /// The sets, each once.
    pub(crate) sets: Vec<SeenSet>,
    /// The signed statements about packages.
    pub(crate) packages: SeenPackages,
    /// The other keys of the file.
    others: Map<String, Value>,
}

/// The newest good set of one source, for one layer. Layers do not share: what a user's rules name without further checks
/// must not count for an administrator's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SeenSet {
    /// The layer of the set.
    pub(crate) layer: LayerName,
    /// Where it comes from.
    pub(crate) source: String,
    /// Its version.
    pub(crate) version: u64,
    /// The digest of its archive.
    pub(crate) digest: Digest,
    /// When a good set was found at the source, in seconds since the Unix epoch.
    pub(crate) looked_at: u64,
}

impl SeenDocument {
    /// Reads the text of the file; `None` when it is not one that smcp writes.
    pub(crate) fn parse(bytes: &[u8]) -> Option<Self> {
        let Value::Object(mut others) = serde_json::from_slice(bytes).ok()? else { return None };
        if others.remove("schema")? != SCHEMA {
            return None;
        }
        let time = time::seconds_of(others.remove("time")?.as_str()?)?;
        let Value::Array(sets) = others.remove("sets")? else { return None };
        let sets = sets.iter().map(SeenSet::parse).collect::<Option<Vec<_>>>()?;
        let packages = others.remove("packages").map_or_else(|| Some(SeenPackages::default()), SeenPackages::parse)?;
        Some(Self { time, sets, packages, others })
    }

    /// Returns the text of the file.
    pub(crate) fn text(&self) -> String {
        let time = time::utc_of(self.time);
        let mut whole = Map::from_iter([
            ("schema".to_owned(), json!(SCHEMA)),
            ("time".to_owned(), json!(time)),
            ("sets".to_owned(), self.sets.iter().map(SeenSet::written).collect()),
        ]);
        whole.extend(self.packages.written().map(|packages| ("packages".to_owned(), packages)));
        whole.extend(self.others.clone());
        format!("{:#}\n", Value::Object(whole))
    }

    /// Returns what was seen of a set: of the same source, named by the same layer.
    pub(crate) fn of(&self, layer: LayerName, source: &SetSource) -> Option<&SeenSet> {
        let source = source.to_string();
        self.sets.iter().find(|seen| seen.layer == layer && seen.source == source)
    }

    /// Notes what was seen of a set. A newer version that another smcp has noted meanwhile stays.
    pub(crate) fn note(&mut self, seen: SeenSet) {
        let is_same = |known: &&mut SeenSet| known.layer == seen.layer && known.source == seen.source;
        match self.sets.iter_mut().find(is_same) {
            Some(known) if known.version > seen.version => {}
            // Two machines of one home have seen different ones for the first time: the first stays.
            Some(known) if known.version == seen.version && known.digest != seen.digest => {}
            Some(known) => *known = SeenSet { looked_at: seen.looked_at.max(known.looked_at), ..seen },
            None => self.sets.push(seen),
        }
    }
}

impl SeenSet {
    fn parse(value: &Value) -> Option<Self> {
        let text = |key| value.get(key)?.as_str();
        Some(Self {
            layer: serde_json::from_value(value.get("layer")?.clone()).ok()?,
            source: text("source")?.to_owned(),
            version: value.get("version")?.as_u64()?,
            digest: text("digest")?.parse().ok()?,
            looked_at: time::seconds_of(text("looked_at")?)?,
        })
    }

    fn written(&self) -> Value {
        let Self { layer, source, version, digest, looked_at } = self;
        json!({
            "layer": layer,
            "source": source,
            "version": version,
            "digest": digest,
            "looked_at": time::utc_of(*looked_at),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(layer: LayerName, version: u64, looked_at: u64) -> SeenSet {
        let digest = Digest::of(&version.to_be_bytes());
        SeenSet { layer, source: "/srv/rules.tar.gz".into(), version, digest, looked_at }
    }

    #[test]
    fn what_is_noted_later_never_forgets_what_is_newer() {
        let mut seen = SeenDocument::default();
        for (version, looked_at, expected) in [(3, 30, (3, 30)), (2, 40, (3, 30)), (4, 20, (4, 30)), (4, 50, (4, 50))] {
            seen.note(set(LayerName::UserSet, version, looked_at));
            let found = seen.sets.first().map(|set| (set.version, set.looked_at));
            assert_eq!(found, Some(expected), "{version} {looked_at}");
        }
        // Another set with the version that was seen is no newer one.
        seen.note(SeenSet { digest: Digest::of(b"other"), ..set(LayerName::UserSet, 4, 60) });
        assert_eq!(seen.sets.first().map(|set| set.digest), Some(Digest::of(&4_u64.to_be_bytes())));
        // Another layer has seen nothing of it.
        seen.note(set(LayerName::SystemSet, 1, 10));
        assert_eq!(seen.sets.iter().map(|set| set.version).collect::<Vec<_>>(), [4, 1]);
        assert_eq!(SeenDocument::parse(seen.text().as_bytes()), Some(seen));
    }

    #[test]
    fn what_smcp_does_not_write_is_not_read() {
        let good =
            SeenDocument { time: 7, sets: vec![set(LayerName::AddedSet, 1, 2)], ..SeenDocument::default() }.text();
        assert!(SeenDocument::parse(good.as_bytes()).is_some());
        for (from, to) in [
            ("smcp.seen/1", "smcp.seen/2"),
            ("1970-01-01T00:00:07Z", "yesterday"),
            ("added/set", "other/set"),
            ("\"version\": 1", "\"version\": -1"),
            ("sha256:", "sha1:"),
            ("\"looked_at\"", "\"looked\""),
            ("\"sets\": [", "\"sets\": [null, "),
        ] {
            assert!(good.contains(from), "{from}");
            assert_eq!(SeenDocument::parse(good.replace(from, to).as_bytes()), None, "{to}");
        }
    }
}
