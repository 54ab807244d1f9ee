//! `smcp policy set show`: what is in a set, or which are in force.

use std::io::Write as _;
use std::path::Path;
use std::path::PathBuf;

use anyhow::anyhow;
use clap::Args;
use serde_json::Map;
use serde_json::Value;
use serde_json::json;

use crate::cli::app::App;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use smcp_config::Layer;
use smcp_config::set::PolicySetFacts;
use smcp_model::digest::Digest;
use smcp_model::exit::ExitKind;
use smcp_model::limits;
use smcp_model::limits::sets;
use smcp_model::policy::PolicySource;
use smcp_model::policy::PolicySpec;
use smcp_model::size::ByteSize;
use smcp_model::source::SetSource;
use smcp_model::text::SafeText;
use smcp_model::time;
use smcp_pipeline as pipeline;
use smcp_pipeline::Session;
use smcp_pipeline::sets::PackedSet;
use smcp_report::json;
use smcp_report::message;
use smcp_report::style::Span;
use smcp_report::table;

/// Show what is in a policy set: version, expiry, policies, digests, exceptions.
///
/// The whole of it is checked, as a start does; one that is not right is exit 3. Nothing is remembered of it. Without a file
/// it shows which sets of the configuration are in force: from where, by whom signed, and how old.
#[derive(Debug, Args)]
pub(crate) struct ShowSetCommand {
    /// The archive
    #[arg(value_name = "FILE")]
    file: Option<PathBuf>,
}

/// A set in the words of this command.
#[derive(Debug)]
pub(super) struct SetDescription<'a> {
    /// Its file or its address.
    file: SafeText,
    packed: &'a PackedSet,
    facts: Option<&'a PolicySetFacts>,
    /// Seconds since the Unix epoch.
    now: u64,
}

impl ShowSetCommand {
    /// Carries the command out.
    pub(crate) fn execute(self, app: &mut App) -> Result<Exit, Failure> {
        let Some(named) = self.file else { return in_force(app) };
        let bytes = app.read_document(&named, sets::ARCHIVE, limits::START_TIMEOUT_DEFAULT)?;
        let (session, file) = (app.session_alone()?, app.path(&named)?);
        let packed = packed(&session, bytes, &SetSource::File(file.clone()), &named)?;
        let description = SetDescription::of(&packed, SafeText::new(&file.to_string_lossy()), app.system().now());
        if app.json() {
            json::write(&description.document(), &mut app.out())?;
        } else {
            description.human(app)?;
        }
        Ok(Exit::SUCCESS)
    }
}

/// Shows the sets of the configuration that are in force.
fn in_force(app: &App) -> Result<Exit, Failure> {
    let session = app.session(None)?;
    let sets = pipeline::sets::in_force(session.config(), app.system().now());
    if app.json() {
        json::write(&json!({"schema": "smcp.sets/1", "sets": sets}), &mut app.out())?;
        return Ok(Exit::SUCCESS);
    }
    if sets.is_empty() {
        app.notice("the configuration names no policy set");
        return Ok(Exit::SUCCESS);
    }
    let style = app.output_style();
    let rows = sets.iter().map(|set| {
        let or_none = |text: Option<&str>| Span::plain(text.unwrap_or("-"));
        vec![
            Span::new(set.layer.as_str(), style.palette.strong),
            Span::plain(set.version.to_string()),
            or_none(set.expires.as_deref()),
            or_none(set.looked_at.as_deref()),
            Span::new(set.digest.short(), style.palette.dim),
            or_none(set.signer.as_ref().map(SafeText::as_str)),
            Span::plain(set.source.as_str()),
        ]
    });
    let headers = ["LAYER", "VERSION", "EXPIRES", "FOUND", "DIGEST", "SIGNED BY", "SOURCE"];
    table::table(&mut app.out(), &style, &headers, &rows.collect::<Vec<_>>())?;
    Ok(Exit::SUCCESS)
}

/// Reads the whole of a set that the command line names as `named`.
pub(super) fn packed(
    session: &Session,
    bytes: Vec<u8>,
    source: &SetSource,
    named: &Path,
) -> Result<PackedSet, Failure> {
    let [parent, ..] = session.config().layers() else { return Err(anyhow!("there is no layer").into()) };
    pipeline::sets::read_packed(bytes, source, parent).map_err(|problem| Failure {
        exit: ExitKind::Integrity,
        code: problem.code(),
        error: anyhow!("{} {problem}", named.display()),
        problems: Vec::new(),
        details: Vec::new(),
    })
}

impl<'a> SetDescription<'a> {
    pub(super) fn of(packed: &'a PackedSet, file: SafeText, now: u64) -> Self {
        Self { file, packed, facts: packed.layer.set(), now }
    }

    pub(super) fn version(&self) -> u64 {
        self.facts.map_or(0, |facts| facts.version)
    }

    pub(super) fn digest(&self) -> Digest {
        self.facts.map_or_else(|| Digest::of(&[]), |facts| facts.arrival.digest)
    }

    pub(super) fn expires(&self) -> String {
        self.facts.and_then(|facts| time::utc_of(facts.expires)).unwrap_or_default()
    }

    pub(super) fn is_expired(&self) -> bool {
        self.facts.is_none_or(|facts| facts.expires <= self.now)
    }

    /// The number of its policies, the built-in ones included.
    pub(super) fn policies(&self) -> usize {
        self.packed.layer.policies().len()
    }

    /// Returns where a policy's component is, a path in the set or an address, and its digest as far as the set says it.
    fn component(&self, spec: &PolicySpec) -> (String, Option<Digest>) {
        match &spec.source {
            PolicySource::BuiltIn(_) => ("built-in".to_owned(), None),
            PolicySource::Remote(source) => (source.address.to_string(), spec.pin),
            PolicySource::File(path) => {
                let component = self.facts.and_then(|facts| facts.components.get(path));
                component.map_or_else(|| (String::new(), None), |it| (it.name.clone(), Some(it.digest)))
            }
        }
    }

    fn trusted(&self) -> Option<Vec<String>> {
        let trusted = self.packed.layer.trusted().value.as_ref()?;
        Some(trusted.iter().map(ToString::to_string).collect())
    }

    /// The set as a document for machines.
    pub(super) fn document(&self) -> Value {
        let layer: &Layer = &self.packed.layer;
        let policy = |spec: &PolicySpec| {
            let mut row = Map::from_iter([
                ("name".to_owned(), json!(spec.name)),
                ("mode".to_owned(), json!(spec.mode)),
                ("settings".to_owned(), spec.settings.clone()),
            ]);
            let (source, digest) = self.component(spec);
            row.insert("source".to_owned(), json!(source));
            row.extend(digest.map(|digest| ("digest".to_owned(), json!(digest))));
            Value::Object(row)
        };
        let exceptions = layer.exceptions().map(|exception| {
            json!({
                "package": exception.package,
                "policies": exception.policies,
                "codes": exception.codes,
                "reason": exception.reason,
                "approved_by": exception.approved_by,
                "until": exception.until,
            })
        });
        json!({
            "schema": "smcp.policy-set/1",
            "file": self.file,
            "version": self.version(),
            "expires": self.expires(),
            "expired": self.is_expired(),
            "digest": self.digest(),
            "size": self.packed.size,
            "admin_contact": layer.admin_contact().value,
            "trusted_registries": self.trusted(),
            "policies": layer.policies().iter().map(|spec| policy(spec)).collect::<Vec<_>>(),
            "exceptions": exceptions.collect::<Vec<_>>(),
        })
    }

    fn human(&self, app: &App) -> Result<(), Failure> {
        let (layer, style) = (&self.packed.layer, app.output_style());
        let over = if self.is_expired() { ", which is over" } else { "" };
        let contact = layer.admin_contact().value.as_ref().map_or("none".to_owned(), ToString::to_string);
        let trusted = self.trusted().map_or("as the layer that names it".to_owned(), |all| all.join(", "));
        let size = ByteSize(u64::try_from(self.packed.size).unwrap_or(u64::MAX));
        let rows = [
            ("version", Span::plain(self.version().to_string())),
            ("expires", Span::plain(format!("{}{over}", self.expires()))),
            ("digest", Span::plain(self.digest().to_string())),
            ("size", Span::plain(size.to_string())),
            ("contact", Span::plain(contact)),
            ("trusts", Span::plain(trusted)),
        ];
        message::done(&format!("{} is a policy set", self.file), &rows, &mut app.out(), &style)?;
        writeln!(app.out())?;
        let policies = layer.policies().iter().map(|spec| {
            let (source, digest) = self.component(spec);
            vec![
                Span::new(spec.name.as_str(), style.palette.strong),
                Span::plain(spec.mode.as_str()),
                Span::new(digest.map_or("-".to_owned(), |digest| digest.short()), style.palette.dim),
                Span::plain(source),
                Span::plain(SafeText::new(&spec.settings.to_string()).to_string()),
            ]
        });
        let headers = ["NAME", "MODE", "DIGEST", "SOURCE", "SETTINGS"];
        table::table(&mut app.out(), &style, &headers, &policies.collect::<Vec<_>>())?;
        let exceptions = layer.exceptions().map(|exception| {
            let policies = exception.policies.iter().map(ToString::to_string).collect::<Vec<_>>();
            vec![
                Span::new(exception.package.to_string(), style.palette.strong),
                Span::plain(policies.join(", ")),
                Span::plain(exception.until.to_string()),
                Span::plain(exception.reason.to_string()),
            ]
        });
        let exceptions: Vec<_> = exceptions.collect();
        if !exceptions.is_empty() {
            writeln!(app.out())?;
            table::table(&mut app.out(), &style, &["EXCEPTION", "POLICIES", "UNTIL", "REASON"], &exceptions)?;
        }
        Ok(())
    }
}
