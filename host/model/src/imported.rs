//! Where an imported package comes from, as its manifest has it under `source`.

use std::fmt;

use serde_json::Value;
use serde_json::json;

/// The longest text that is believed, bytes.
const LONGEST: usize = 1024;
/// Who gave the facts of an imported package.
const IMPORTER: &str = "importer";

/// Where an imported package comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportedFrom {
    /// `npm`, `pypi` or `mcpb`.
    pub kind: String,
    /// The name there.
    pub name: String,
    /// The version there.
    pub version: String,
    /// The integrity there.
    pub integrity: String,
    /// Whether the facts are those that were given at the import, by whoever imported it.
    pub facts_by_importer: bool,
}

impl ImportedFrom {
    /// Reads it from the text of a manifest; `None` for a package that was not imported.
    pub fn of(manifest: &str) -> Option<Self> {
        // Most manifests are of no import, and need not be parsed.
        if !manifest.contains("\"source\"") {
            return None;
        }
        let document: Value = serde_json::from_str(manifest).ok()?;
        Self::of_source(document.get("source")?)
    }

    /// Reads it from what a manifest has under `source`.
    pub fn of_source(source: &Value) -> Option<Self> {
        let text = |key: &str| source.get(key)?.as_str().map(str::to_owned);
        let (kind, name, version, integrity) = (text("kind")?, text("name")?, text("version")?, text("integrity")?);
        let all_fit = [&kind, &name, &version, &integrity].iter().all(|text| text.len() <= LONGEST);
        let facts_by_importer = text("facts_by").as_deref() == Some(IMPORTER);
        all_fit.then_some(Self { kind, name, version, integrity, facts_by_importer })
    }

    /// The same for a manifest.
    pub fn document(&self) -> Value {
        let Self { kind, name, version, integrity, facts_by_importer } = self;
        let mut document = json!({"kind": kind, "name": name, "version": version, "integrity": integrity});
        if let (true, Value::Object(document)) = (*facts_by_importer, &mut document) {
            document.insert("facts_by".to_owned(), IMPORTER.into());
        }
        document
    }

    /// What policies are told of it, beyond the fields of their interface.
    pub fn extensions(&self) -> Vec<(String, String)> {
        let Self { kind, name, version, integrity, facts_by_importer } = self;
        let source = [("kind", kind), ("name", name), ("version", version), ("integrity", integrity)];
        let source = source.into_iter().map(|(key, value)| (format!("source.{key}"), value.clone()));
        source.chain(facts_by_importer.then(|| ("facts.by".to_owned(), IMPORTER.to_owned()))).collect()
    }
}

impl fmt::Display for ImportedFrom {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { kind, name, version, .. } = self;
        let between = match kind.as_str() {
            "pypi" => "==",
            "npm" => "@",
            _ => " ",
        };
        write!(f, "{kind}:{name}{between}{version}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_manifest_says_where_its_package_comes_from() {
        let from = ImportedFrom {
            kind: "npm".to_owned(),
            name: "@acme/tool".to_owned(),
            version: "1.0.0".to_owned(),
            integrity: "sha512-x".to_owned(),
            facts_by_importer: true,
        };
        let manifest = |source: Value| json!({"package": {"id": "npm/acme.tool"}, "source": source}).to_string();
        assert_eq!(ImportedFrom::of(&manifest(from.document())), Some(from.clone()));
        let by_nobody = ImportedFrom { facts_by_importer: false, ..from.clone() };
        assert_eq!(ImportedFrom::of(&manifest(by_nobody.document())), Some(by_nobody.clone()));
        assert_eq!(from.to_string(), "npm:@acme/tool@1.0.0");
        let told: Vec<String> = from.extensions().into_iter().map(|(key, value)| format!("{key}={value}")).collect();
        let expected = [
            "source.kind=npm",
            "source.name=@acme/tool",
            "source.version=1.0.0",
            "source.integrity=sha512-x",
            "facts.by=importer",
        ];
        assert_eq!(told, expected);
        assert_eq!(by_nobody.extensions().len(), 4);
    }

    #[test]
    fn what_does_not_say_it_rightly_says_nothing() {
        let long = "x".repeat(LONGEST + 1);
        for manifest in [
            "{}".to_owned(),
            "{\"source\"".to_owned(),
            json!({"source": null}).to_string(),
            json!({"source": "npm"}).to_string(),
            json!({"source": {"kind": "npm"}}).to_string(),
            json!({"source": {"kind": "npm", "name": long, "version": "1", "integrity": "x"}}).to_string(),
        ] {
            assert_eq!(ImportedFrom::of(&manifest), None, "{manifest}");
        }
    }
}
