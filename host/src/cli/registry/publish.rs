//! `smcp registry publish`: a directory becomes a package.

use std::path::PathBuf;

use anyhow::Context as _;
use clap::Args;

use crate::cli::app::App;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::registry::signing::SigningArguments;
use crate::cli::registry::signing::StatementKey;
use smcp_authority as authority;
use smcp_bundle::pack::patterns::Pattern;
use smcp_bundle::pack::patterns::PatternError;
use smcp_model::deadline::Deadline;
use smcp_model::facts::CertLevel;
use smcp_model::facts::Score;
use smcp_model::facts::SeverityCounts;
use smcp_model::facts::Status;
use smcp_model::imported::ImportedFrom;
use smcp_model::name::PackageId;
use smcp_model::oci::OciPlace;
use smcp_model::package::PackageRef;
use smcp_model::package::Selector;
use smcp_model::package::Version;
use smcp_model::registry::Registry;
use smcp_model::registry::RegistryUrl;
use smcp_model::statement::FactsStatement;
use smcp_model::text::SafeText;
use smcp_model::text::is_unseen;
use smcp_pipeline as pipeline;
use smcp_pipeline::PipelineError;
use smcp_pipeline::Session;
use smcp_pipeline::shipping;
use smcp_registry as registry;
use smcp_registry::PublishRequest;
use smcp_registry::Published;
use smcp_registry::RegistryClient;
use smcp_registry::Restated;
use smcp_report::style::Span;

/// Pack a directory and publish it in the registry that --registry names: a directory, or oci://HOST/PREFIX.
///
/// A fact that is not given is unknown to policies. Publishing the same bytes again changes the facts, and the status with
/// --status; other bytes need another version. In a registry of images, facts are signed statements: none is given here. Links, and
/// what looks like a secret (.env, .git, private keys, tokens), are refused. A `.smcpignore` in the directory names what
/// is left out, as a .gitignore does.
#[derive(Debug, Args)]
pub(in crate::cli) struct PublishCommand {
    /// Who stands behind the package: official, verified, community, or another word
    #[arg(long, value_name = "ORIGIN", value_parser = parse_origin)]
    origin: Option<String>,
    /// Certification level, 0 to 3
    #[arg(long, value_name = "LEVEL")]
    cert_level: Option<CertLevel>,
    /// Security score, 0 to 100
    #[arg(long, value_name = "SCORE")]
    score: Option<Score>,
    /// Findings by severity: critical, high, medium, low
    #[arg(long, value_name = "C,H,M,L")]
    findings: Option<SeverityCounts>,
    /// State of the version [default: published, or what it is already; must be given where that never runs]
    #[arg(long, value_name = "STATUS", value_parser = Status::KNOWN)]
    status: Option<String>,
    /// Leave out what fits this pattern, as in a .gitignore; may be given more than once
    #[arg(long, value_name = "GLOB", value_parser = parse_exclude)]
    exclude: Vec<Pattern>,
    /// Pack what looks like a secret, too
    #[arg(long)]
    include_secrets: bool,
    #[command(flatten)]
    signing: SigningArguments,
    /// The package: ORG/NAME@VERSION
    #[arg(value_name = "ORG/NAME@VERSION")]
    reference: PackageRef,
    /// The directory to pack, with its manifest.json
    #[arg(value_name = "BUNDLE_DIR")]
    bundle: PathBuf,
}

pub(in crate::cli) fn parse_origin(text: &str) -> Result<String, String> {
    if text.is_empty() || text.chars().any(|letter| letter.is_whitespace() || is_unseen(letter)) {
        return Err("expected one word such as official, verified or community".to_owned());
    }
    Ok(text.to_owned())
}

fn parse_exclude(text: &str) -> Result<Pattern, String> {
    let pattern: Pattern = text.parse().map_err(|error: PatternError| error.to_string())?;
    if pattern.takes_in() {
        return Err("`!` takes something in again, and only a line of a .smcpignore can".to_owned());
    }
    Ok(pattern)
}

impl PublishCommand {
    /// Carries the command out.
    pub(super) fn execute(self, app: &mut App) -> Result<Exit, Failure> {
        let Selector::Exact(version) = self.reference.selector else {
            return Err(Failure::usage(anyhow::anyhow!("a version can be published, `latest` or a digest can't")));
        };
        let label = format!("{}@{version}", self.reference.id);
        let bundle = app.path(&self.bundle)?;
        let bundle_dir = authority::open_dir(&bundle)
            .with_context(|| format!("while opening {}", self.bundle.display()))
            .map_err(Failure::usage)?;
        let key = self.signing.open(app)?;
        let target = PublishTarget::open(app)?;
        let newest = key.as_ref().map(|key| target.newest(&self.reference.id, &version, key)).transpose()?.flatten();
        if let (None, Some(Status::Refused(word))) =
            (&self.status, newest.as_ref().and_then(|it| it.facts().status.as_ref()))
        {
            let word = SafeText::new(word);
            return Err(Failure::usage(anyhow::anyhow!(
                "this key has signed that {label} is `{word}`, and publishing would take that back\n  --status says what it is now"
            )));
        }
        let terms = key.as_ref().map(|key| key.terms(newest.as_ref())).transpose()?;
        let sign = |text: &[u8]| key.as_ref().map_or_else(Vec::new, |key| key.sign(text));
        let request = PublishRequest {
            id: self.reference.id,
            version,
            bundle_dir,
            origin: self.origin,
            cert_level: self.cert_level,
            score: self.score,
            findings: self.findings,
            status: self.status.as_deref().map(Status::from_word),
            keep_facts: false,
            exclude: self.exclude,
            include_secrets: self.include_secrets,
            source: None,
            attestation: key.as_ref().zip(terms).map(|(key, terms)| key.attestation(&sign, terms)),
        };
        let published = target.publish(&request)?;
        let done = match (published.updated, published.image_digest) {
            (false, _) => "is published",
            (true, None) if published.changes.is_empty() => {
                "was published before; its bytes and its facts are the same"
            }
            (true, None) => "has new facts; its bytes are the same",
            (true, Some(_)) => "is there already, with the same bytes",
        };
        let mut rows = rows(&target.registry(), &published);
        rows.extend(key.as_ref().zip(terms).map(|(key, terms)| key.row(terms)));
        app.done(&format!("{label} {done}"), &rows)?;
        published.remarks.iter().for_each(|remark| app.notice(remark.as_str()));
        Ok(Exit::SUCCESS)
    }
}

/// The error about a registry that nothing can be published in.
fn no_target(url: &RegistryUrl) -> anyhow::Error {
    anyhow::anyhow!("`{url}` can't be published in: only a directory and a registry of images (oci://…) can")
}

/// Returns what to show of a published package, besides its name.
pub(in crate::cli) fn rows(registry: &Registry, published: &Published) -> Vec<(&'static str, Span)> {
    let Published { manifest_digest, bundle_digest, bundle_size, image_digest, files, unpacked, .. } = published;
    let Published { left_out, left_out_count, changes, .. } = published;
    let is_packed = *files > 0;
    let files = if *files == 1 { "1 file".to_owned() } else { format!("{files} files") };
    let mut rows: Vec<_> = changes.iter().map(|change| ("changed", Span::plain(change.to_string()))).collect();
    rows.extend([
        ("registry", Span::plain(registry.to_string())),
        ("manifest", Span::plain(manifest_digest.to_string())),
        ("bundle", Span::plain(format!("{bundle_digest}, {bundle_size} bytes"))),
    ]);
    rows.extend(is_packed.then(|| ("packed", Span::plain(format!("{files}, {unpacked} bytes")))));
    rows.extend(image_digest.map(|digest| ("image", Span::plain(digest.to_string()))));
    if *left_out_count > 0 {
        let names: Vec<&str> = left_out.iter().map(SafeText::as_str).collect();
        let more = left_out_count.saturating_sub(names.len());
        let more = if more == 0 { String::new() } else { format!(" and {more} more") };
        rows.push(("left out", Span::plain(format!("{}{more}", names.join(", ")))));
    }
    rows
}

/// Where to publish. The command line must name it: there is no default.
pub(in crate::cli) enum PublishTarget {
    /// A directory, and whether it was made for this.
    Directory { registry: Registry, path: PathBuf, made: bool },
    /// A registry of images.
    Images { place: OciPlace, session: Box<Session> },
}

impl PublishTarget {
    /// Opens the directory; makes it when it does not exist yet.
    fn open(app: &App) -> Result<Self, Failure> {
        let Some(text) = app.named_registry() else {
            return Err(Failure::usage(anyhow::anyhow!(
                "--registry must name the registry to publish in: a directory, or oci://HOST/PREFIX"
            )));
        };
        Self::of(app, app.registry(text)?)
    }

    /// Opens the registry; a directory is made when it does not exist yet.
    pub(in crate::cli) fn of(app: &App, registry: Registry) -> Result<Self, Failure> {
        let path = match &registry {
            Registry::Directory(path) => path.clone(),
            Registry::Oci(place) => {
                return Ok(Self::Images { place: place.clone(), session: Box::new(app.session(None)?) });
            }
            Registry::Url(url) | Registry::Official(url) => {
                return Err(Failure::usage(no_target(url)));
            }
        };
        let made = authority::open_dir(&path).is_err();
        let doing = || format!("while making {}", path.display());
        authority::create_shared_dir(&path).with_context(doing).map_err(Failure::usage)?;
        Ok(Self::Directory { registry, path, made })
    }

    pub(in crate::cli) fn registry(&self) -> Registry {
        match self {
            Self::Directory { registry, .. } => registry.clone(),
            Self::Images { place, .. } => Registry::Oci(place.clone()),
        }
    }

    /// Returns the newest statement of a key about a version that is there already.
    fn newest(&self, id: &PackageId, version: &Version, key: &StatementKey) -> Result<Option<FactsStatement>, Failure> {
        let client: Box<dyn RegistryClient> = match self {
            Self::Directory { registry, path, .. } => Box::new(pipeline::open_directory(registry, path)?),
            Self::Images { place, session } => Box::new(shipping::open_images(session, place)?),
        };
        let wanted = PackageRef { id: id.clone(), selector: Selector::Exact(version.clone()) };
        match client.resolve(&wanted, &Deadline::none()) {
            Ok(resolution) => key.newest(client.as_ref(), &resolution),
            Err(error) if error.is_absence() => Ok(None),
            Err(error) => Err(PipelineError::from(error).into()),
        }
    }

    /// Changes what a directory says of a version that was imported before; `None` when there is none that is meant.
    pub(in crate::cli) fn restate(
        &self,
        request: &PublishRequest<'_>,
        is_meant: &dyn Fn(&ImportedFrom) -> bool,
    ) -> Result<Option<Restated>, Failure> {
        let Self::Directory { registry, path, .. } = self else { return Ok(None) };
        let client = pipeline::open_directory(registry, path)?;
        Ok(registry::restate(&client, request, is_meant).map_err(PipelineError::from)?)
    }

    /// Publishes the package; removes the directory again when it was made for this and publishing fails.
    pub(in crate::cli) fn publish(&self, request: &PublishRequest<'_>) -> Result<Published, Failure> {
        match self {
            Self::Images { place, session } => Ok(shipping::publish_image(session, place, request)?),
            Self::Directory { registry, path, made } => {
                let published = pipeline::open_directory(registry, path)
                    .and_then(|client| registry::publish(&client, request).map_err(PipelineError::from));
                if published.is_err() && *made {
                    authority::remove_empty_dir(path);
                }
                Ok(published?)
            }
        }
    }
}
