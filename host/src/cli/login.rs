//! `smcp login` and `smcp logout`: a token for a registry, kept or forgotten.

use anyhow::Context as _;
use clap::Args;

use crate::cli::app::App;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use smcp_model::endpoint::Endpoint;
use smcp_model::limits;
use smcp_model::registry::Registry;
use smcp_model::secret::Secret;
use smcp_pipeline as pipeline;
use smcp_report::message;
use smcp_report::style::Span;

/// Keep a token for a registry.
///
/// It is sent to the registry's scheme, host and port, and to nobody else. SMCP_REGISTRY_TOKEN takes its place for the
/// configured registry.
#[derive(Debug, Args)]
pub(super) struct LoginCommand {
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
        let endpoint = asked_endpoint(app)?;
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
        let kept = pipeline::log_in(app.system(), &endpoint, &token)?;
        let rows = [("kept in", Span::plain(kept.display().to_string()))];
        let done = format!("logged in to {endpoint}");
        message::done(&done, &rows, &mut app.err(), &app.error_style())?;
        Ok(Exit::SUCCESS)
    }
}

/// Forget the token for a registry.
#[derive(Debug, Args)]
pub(super) struct LogoutCommand {}

impl LogoutCommand {
    /// Carries the command out.
    pub(super) fn execute(self, app: &mut App) -> Result<Exit, Failure> {
        let endpoint = asked_endpoint(app)?;
        let known = pipeline::log_out(app.system(), &endpoint)?;
        let done = if known { format!("logged out of {endpoint}") } else { format!("not logged in to {endpoint}") };
        message::done(&done, &[], &mut app.err(), &app.error_style())?;
        Ok(Exit::SUCCESS)
    }
}

/// Returns the endpoint of the registry that `--registry` names, else of the configured one.
fn asked_endpoint(app: &App) -> Result<Endpoint, Failure> {
    let registry = match app.named_registry() {
        Some(text) => app.registry(text)?,
        None => app.config(None)?.registry().clone(),
    };
    match registry {
        Registry::Url(url) => Ok(url.endpoint().clone()),
        Registry::Directory(path) => {
            Err(Failure::usage(anyhow::anyhow!("{} is a directory, which needs no token", path.display())))
        }
    }
}
