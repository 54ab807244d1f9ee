//! Every key: one description for parsing, suggestions and the schema.
//!
//! `reader` reads by it, `schema` prints it. A key that is not in its section is unknown and therefore refused.

pub(super) mod custom;
pub(super) mod exceptions;
pub(super) mod policy;
pub(super) mod policy_set;
pub(super) mod trusted;

use std::path::Path;
use std::path::PathBuf;
use std::time::Duration;

use serde_json::Value;
use serde_json::json;

use crate::choice::Audit;
use crate::choice::AuditHead;
use crate::choice::Registries;
use crate::choice::Strictness;
use crate::form::ListOf;
use crate::form::Parsed;
use crate::form::RefusalReason;
use crate::form::ValueSchema;
use crate::form::Word;
use crate::form::path;
use crate::form::registry;
use crate::keys::trusted::TrustedForm;
use crate::keys::trusted::TrustedRegistryForm;
use smcp_model::limits;
use smcp_model::registry::Registry;
use smcp_model::text::SafeText;
use smcp_model::text::has_something_to_see;

/// A key and the form of its value.
#[derive(Debug)]
pub(super) struct ConfigKey<F: 'static> {
    /// Its name in the file.
    pub(super) name: &'static str,
    /// Its description, one sentence.
    pub(super) about: &'static str,
    /// The default, as it would be written; `None` when it can't be written.
    pub(super) default: Option<&'static str>,
    /// Whether an entry without it is refused.
    pub(super) required: bool,
    /// The form of its value.
    pub(super) form: F,
}

/// A key, whatever its form.
pub(super) trait AnyKey: Sync {
    /// Returns its name in the file.
    fn name(&self) -> &'static str;
    /// Whether an entry without it is refused.
    fn required(&self) -> bool;
    /// Returns the JSON Schema of its value, with description and default.
    fn schema(&self) -> Value;
}

impl<F: ValueSchema + Sync> AnyKey for ConfigKey<F> {
    fn name(&self) -> &'static str {
        self.name
    }

    fn required(&self) -> bool {
        self.required
    }

    fn schema(&self) -> Value {
        let mut schema = self.form.schema();
        if let Value::Object(members) = &mut schema {
            members.insert("description".to_owned(), json!(self.about));
            if let Some(text) = self.default {
                let default = text.parse::<u64>().map_or_else(|_| json!(text), |number| json!(number));
                members.insert("default".to_owned(), default);
            }
        }
        schema
    }
}

/// The keys of one mapping.
pub(super) struct Section {
    /// Its name in messages.
    pub(super) title: &'static str,
    /// Its keys, in the order in which messages list them.
    pub(super) keys: &'static [&'static dyn AnyKey],
    /// Keys of other tools in the same mapping, which are skipped.
    pub(super) foreign: &'static [&'static str],
    /// Wrong words, and the keys that they most likely mean.
    pub(super) meant: &'static [(&'static str, &'static str)],
    /// The key below which any name is allowed.
    pub(super) free: Option<&'static str>,
}

/// A mapping with keys of its own.
pub(super) struct Nested(pub(super) &'static Section);

/// A list of mappings with keys of their own.
pub(super) struct Entries(pub(super) &'static Section);

impl ValueSchema for Nested {
    fn schema(&self) -> Value {
        let properties: serde_json::Map<_, _> =
            self.0.keys.iter().map(|key| (key.name().to_owned(), key.schema())).collect();
        let foreign = self.0.foreign.iter().map(|name| ((*name).to_owned(), json!({ "description": FOREIGN })));
        let required: Vec<_> = self.0.keys.iter().filter(|key| key.required()).map(|key| key.name()).collect();
        let properties: serde_json::Map<_, _> = properties.into_iter().chain(foreign).collect();
        json!({
            "type": "object", "properties": properties, "required": required, "additionalProperties": false,
        })
    }
}

impl ValueSchema for Entries {
    fn schema(&self) -> Value {
        json!({ "type": "array", "items": Nested(self.0).schema() })
    }
}

const FOREIGN: &str = "Of another MCP Hub tool; smcp skips it with a notice.";

/// The whole file.
pub(super) static ROOT: Section = Section {
    title: "the configuration",
    keys: &[
        &REGISTRY_URL,
        &TRUSTED_REGISTRIES,
        &REGISTRIES,
        &ADMIN_CONTACT,
        &CA_FILE,
        &CACHE_DIR,
        &RUNTIME_DIR,
        &START_TIMEOUT,
        &MAX_FACTS_AGE,
        &AUDIT,
        &CONFINEMENT,
        &AUDIT_HEAD,
        &AUDIT_LOG,
        &POLICY,
    ],
    foreign: &[
        "registry",
        "cache",
        "executor",
        "timeout",
        "max_cpu",
        "max_memory",
        "max_pids",
        "max_fds",
        "log_level",
        "audit_enabled",
        "audit_log_file",
    ],
    meant: &[("policies", "policy"), ("rules", "policy")],
    free: None,
};

const REGISTRY_FORM: Parsed<Registry> = Parsed {
    allowed: "an https:// URL (http:// only for localhost), oci://HOST/PREFIX, or a directory",
    words: &[],
    parse: registry,
    pattern: "^.+$",
};

/// `registry_url`
pub(super) static REGISTRY_URL: ConfigKey<Parsed<Registry>> = ConfigKey {
    name: "registry_url",
    about: "Where packages come from: the URL of a registry, or a directory that is one.",
    default: Some(Registry::DEFAULT),
    required: false,
    form: REGISTRY_FORM,
};

/// `trusted_registries`
pub(super) static TRUSTED_REGISTRIES: ConfigKey<TrustedForm> = ConfigKey {
    name: "trusted_registries",
    about: "The registries whose facts are believed; facts from elsewhere count as unknown. Absent: any registry. \
            Empty: none. An entry with signed_by believes signed statements in place of the registry's own words; one with \
            verified_namespaces takes the named namespaces of a registry like the official one for verified.",
    default: None,
    required: false,
    form: TrustedForm(ListOf {
        allowed: "a list of registries; without the key, any registry",
        items: TrustedRegistryForm { registry: REGISTRY_FORM, files: true },
    }),
};

/// `registries`
pub(super) static REGISTRIES: ConfigKey<Word<Registries>> = ConfigKey {
    name: "registries",
    about: "Whether packages may come from other registries than the trusted ones.",
    default: Some("open"),
    required: false,
    form: Word { all: &Registries::ALL, name: Registries::as_str },
};

/// `admin_contact`
pub(super) static ADMIN_CONTACT: ConfigKey<Parsed<SafeText>> = ConfigKey {
    name: "admin_contact",
    about: "Whom to ask about a refusal by a policy of this layer; shown with each of them.",
    default: None,
    required: false,
    form: Parsed {
        allowed: "one line of 1 to 200 bytes that can be seen",
        words: &[],
        parse: |text, _| {
            let contact = SafeText::new(text);
            let is_shown_as_written = contact.as_str() == text && has_something_to_see(text);
            if is_shown_as_written && text.len() <= limits::ADMIN_CONTACT { Ok(contact) } else { Err(None) }
        },
        pattern: "^.{1,200}$",
    },
};

/// `ca_file`
pub(super) static CA_FILE: ConfigKey<Parsed<PathBuf>> = ConfigKey {
    name: "ca_file",
    about: "A file of certificate authorities in PEM form, in place of the system's, for registries.",
    default: None,
    required: false,
    form: Parsed { allowed: PATH, words: &[], parse: path, pattern: "^.+$" },
};

/// `cache_dir`
pub(super) static CACHE_DIR: ConfigKey<Parsed<PathBuf>> = ConfigKey {
    name: "cache_dir",
    about: "Where downloads are kept.",
    default: Some("~/.mcp/cache"),
    required: false,
    form: Parsed { allowed: PATH, words: &[], parse: path, pattern: "^.+$" },
};

/// `runtime_dir`
pub(super) static RUNTIME_DIR: ConfigKey<Parsed<PathBuf>> = ConfigKey {
    name: "runtime_dir",
    about: "Where the files of running packages live. Absent: in the cache, and where that can't be written in \
            $XDG_RUNTIME_DIR/smcp.",
    default: None,
    required: false,
    form: Parsed { allowed: PATH, words: &[], parse: path, pattern: "^.+$" },
};

/// `start_timeout`
pub(super) static START_TIMEOUT: ConfigKey<Parsed<Duration>> = ConfigKey {
    name: "start_timeout",
    about: "How long resolving, downloading and starting may take together; never the life of the server.",
    default: Some("60s"),
    required: false,
    form: Parsed {
        allowed: "a duration above zero and at most 1h, such as `60s`",
        words: &[],
        parse: |text, _| duration(text, limits::START_TIMEOUT),
        pattern: DURATION,
    },
};

/// `max_facts_age`
pub(super) static MAX_FACTS_AGE: ConfigKey<Parsed<Duration>> = ConfigKey {
    name: "max_facts_age",
    about: "How old cached facts may be when the registry can't be reached.",
    default: Some("24h"),
    required: false,
    form: Parsed {
        allowed: "a duration above zero and at most 365d, such as `24h`",
        words: &[],
        parse: |text, _| duration(text, limits::MAX_FACTS_AGE),
        pattern: DURATION,
    },
};

/// `audit`
pub(super) static AUDIT: ConfigKey<Word<Audit>> = ConfigKey {
    name: "audit",
    about: "Whether smcp goes on when the audit log can't be written.",
    default: Some("required"),
    required: false,
    form: Word { all: &Audit::ALL, name: Audit::as_str },
};

/// `confinement`
pub(super) static CONFINEMENT: ConfigKey<Word<Strictness>> = ConfigKey {
    name: "confinement",
    about: "Whether servers are held to what their manifests ask for: in full, as far as the system can, or not at all.",
    default: Some("best-effort"),
    required: false,
    form: Word { all: &Strictness::ALL, name: Strictness::as_str },
};

/// `audit_head`
pub(super) static AUDIT_HEAD: ConfigKey<Word<AuditHead>> = ConfigKey {
    name: "audit_head",
    about: "Where the digest of each new record of the audit log is sent, so that a log that was cut off shows.",
    default: Some("none"),
    required: false,
    form: Word { all: &AuditHead::ALL, name: AuditHead::as_str },
};

/// `audit_log`
pub(super) static AUDIT_LOG: ConfigKey<Parsed<PathBuf>> = ConfigKey {
    name: "audit_log",
    about: "The file that the audit log is written to; its other files are beside it.",
    default: Some("~/.mcp/audit.jsonl"),
    required: false,
    form: Parsed {
        allowed: "the path of a file: absolute, ~/…, or relative to the directory of this file",
        words: &[],
        parse: |text, base| {
            let path = path(text, base)?;
            let names = !text.ends_with('/') && names_a_file(Path::new(text)) && names_a_file(&path);
            if names { Ok(path) } else { Err(Some("it names no file")) }
        },
        pattern: "^.*[^/]$",
    },
};

/// Whether a path ends in a UTF-8 name, since the names of other files are made from it.
pub(super) fn names_a_file(path: &Path) -> bool {
    path.file_name().is_some_and(|name| name.to_str().is_some())
}

/// `policy`
pub(super) static POLICY: ConfigKey<Nested> = ConfigKey {
    name: "policy",
    about: "The rules that every package must meet.",
    default: None,
    required: false,
    form: Nested(&policy::SECTION),
};

/// The paths that are allowed; see [`path`].
const PATH: &str = "a path of a file system: absolute, ~/…, or relative to the directory of this file";
pub(super) const DURATION: &str = "^[0-9a-zµ. ]+$";

/// Reads a duration above zero and at most `max`. Long texts and numbers are refused first, because `humantime`
/// overflows on some of them.
pub(super) fn duration(text: &str, max: Duration) -> Result<Duration, RefusalReason> {
    let is_safe = text.len() <= 32 && text.split(|digit: char| !digit.is_ascii_digit()).all(|digits| digits.len() <= 9);
    let read = if is_safe { humantime::parse_duration(text).ok() } else { None };
    read.filter(|duration| !duration.is_zero() && *duration <= max).ok_or(None)
}
