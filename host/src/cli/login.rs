//! `smcp login` and `smcp logout`: a token for a registry, kept or forgotten.

use anyhow::Context as _;
use clap::Args;

use crate::cli::app::App;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use smcp_model::endpoint::Endpoint;
use smcp_model::limits;
use smcp_model::oci::OciHost;
use smcp_model::oci::SCHEME;
use smcp_model::registry::Registry;
use smcp_model::secret::Secret;
use smcp_pipeline as pipeline;
use smcp_pipeline::shipping;
use smcp_report::style::Span;

/// Keep a token for a registry.
///
/// It is sent to the registry's scheme, host and port, and to nobody else. SMCP_REGISTRY_TOKEN takes its place for the
/// configured registry. For a registry of images (`--registry oci://HOST`) it is a password or a token in its place, which
/// goes with a name; a token service of the registry's own house gets both, too.
#[derive(Debug, Args)]
pub(super) struct LoginCommand {
    /// The name that goes with it, for a registry of images
    #[arg(long, short, value_name = "NAME")]
    username: Option<String>,
    /// The token; `-` reads it from standard input, where nobody else sees it
    #[arg(long, value_name = "TOKEN|-", allow_hyphen_values = true)]
    token: TokenArgument,
}

/// The value of `--token`. `Debug` does not show it.
#[derive(Clone)]
struct TokenArgument(String);

impl std::str::FromStr for TokenArgument {
    type Err = std::convert::Infallible;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(Self(text.to_owned()))
    }
}

impl std::fmt::Debug for TokenArgument {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("TokenArgument(…)")
    }
}

impl LoginCommand {
    /// Carries the command out.
    pub(super) fn execute(self, app: &mut App) -> Result<Exit, Failure> {
        let asked = asked(app)?;
        let user = self.user(&asked)?;
        let token = match self.token.0.as_str() {
            "-" => {
                let bytes = app.read_stdin(limits::TOKEN).context("while reading the token").map_err(Failure::usage)?;
                Secret::new(&String::from_utf8_lossy(&bytes))
                    .context("while reading the token")
                    .map_err(Failure::usage)?
            }
            text => {
                app.notice("a token on the command line can be seen by others on this machine; `--token -` reads it from standard input");
                Secret::new(text).context("while reading --token").map_err(Failure::usage)?
            }
        };
        if token.expires_at().is_some_and(|end| end <= app.system().now()) {
            app.notice("the token has expired; the registry will not accept it");
        }
        let kept = match &asked {
            AskedServer::Packages(endpoint) => pipeline::log_in(app.system(), endpoint, &token)?,
            AskedServer::Images(host) => shipping::log_in_to_images(app.system(), host, &user, &token)?,
        };
        let rows = [("kept in", Span::plain(kept.display().to_string()))];
        let done = format!("logged in to {asked}");
        app.done(&done, &rows)?;
        Ok(Exit::SUCCESS)
    }
}

impl LoginCommand {
    /// The name of the log-in, which a registry of images needs and another doesn't know.
    fn user(&self, asked: &AskedServer) -> Result<String, Failure> {
        match (asked, self.username.as_deref().map(str::trim)) {
            (AskedServer::Packages(_), None) => Ok(String::new()),
            (AskedServer::Packages(endpoint), Some(_)) => Err(Failure::usage(anyhow::anyhow!(
                "{endpoint} knows tokens, and no names: leave --username out, or name a registry of images, oci://HOST"
            ))),
            (AskedServer::Images(host), None | Some("")) => {
                Err(Failure::usage(anyhow::anyhow!("{host} needs a name beside the token: --username NAME")))
            }
            (AskedServer::Images(_), Some(user))
                if user.contains(':') || !user.bytes().all(|it| it.is_ascii_graphic()) =>
            {
                Err(Failure::usage(anyhow::anyhow!("--username is one word of visible ASCII, without a colon")))
            }
            (AskedServer::Images(_), Some(user)) => Ok(user.to_owned()),
        }
    }
}

/// Forget the token for a registry.
#[derive(Debug, Args)]
pub(super) struct LogoutCommand {}

impl LogoutCommand {
    /// Carries the command out.
    pub(super) fn execute(self, app: &mut App) -> Result<Exit, Failure> {
        let asked = asked(app)?;
        let known = match &asked {
            AskedServer::Packages(endpoint) => pipeline::log_out(app.system(), endpoint)?,
            AskedServer::Images(host) => shipping::log_out_of_images(app.system(), host)?,
        };
        let done = if known { format!("logged out of {asked}") } else { format!("not logged in to {asked}") };
        app.done(&done, &[])?;
        Ok(Exit::SUCCESS)
    }
}

/// Whom a log-in is for.
enum AskedServer {
    /// A registry of packages.
    Packages(Endpoint),
    /// A registry of images.
    Images(OciHost),
}

impl std::fmt::Display for AskedServer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Packages(endpoint) => endpoint.fmt(f),
            Self::Images(host) => host.fmt(f),
        }
    }
}

/// Returns the registry that `--registry` names, else the configured one.
fn asked(app: &App) -> Result<AskedServer, Failure> {
    let registry = match app.named_registry() {
        Some(text) if text.starts_with(SCHEME) => {
            return text.parse().map(AskedServer::Images).map_err(Failure::usage);
        }
        Some(text) => app.registry(text)?,
        // A policy set may be what the log-in is for.
        None => app.session_without_sets()?.config().registry().clone(),
    };
    match registry {
        Registry::Url(url) | Registry::Official(url) => Ok(AskedServer::Packages(url.endpoint().clone())),
        Registry::Oci(place) => Ok(AskedServer::Images(place.host().clone())),
        Registry::Directory(path) => {
            Err(Failure::usage(anyhow::anyhow!("{} is a directory, which needs no token", path.display())))
        }
    }
}
