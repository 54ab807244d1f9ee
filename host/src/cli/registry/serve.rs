//! `smcp registry serve`: a registry directory for other machines.

use std::io;
use std::io::Write as _;
use std::net::SocketAddr;

use anyhow::Context as _;
use clap::Args;
use serde_json::json;

use crate::cli::app::App;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::registry::directory;
use smcp_authority as authority;
use smcp_model::registry::Registry;
use smcp_model::text::SafeText;
use smcp_pipeline as pipeline;
use smcp_registry::RegistryClient as _;
use smcp_report::json;
use smcp_report::message;
use smcp_serve as serve;

/// Serve the registry directory that --registry names over HTTP, as the real registry would, until interrupted.
///
/// It is read-only, and every file is verified before it is sent. There is neither TLS nor a login: for other machines,
/// put a reverse proxy with TLS before it. SIGINT and SIGTERM end it with exit code 0.
#[derive(Debug, Args)]
pub(in crate::cli) struct ServeCommand {
    /// Where to listen; port 0 takes any that is free
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:8080")]
    listen: SocketAddr,
}

impl ServeCommand {
    /// Carries the command out.
    pub(super) fn execute(self, app: &App) -> Result<Exit, Failure> {
        let registry = directory(app, "serve")?;
        pipeline::check_clock(app.system())?;
        let listening = || format!("while listening on {}", self.listen);
        let listener = authority::listen(self.listen).with_context(listening).map_err(Failure::usage)?;
        let address = listener.local_addr().with_context(listening).map_err(Failure::usage)?;
        if !address.ip().is_loopback() {
            app.notice(
                "this address is open to other machines, without TLS and without a login; \
                 smcp asks such a registry only through a reverse proxy with TLS",
            );
        }
        let location = registry.registry().clone();
        // Standard streams that can't be written change nothing.
        let ready = || {
            let _ = announce(app, address, &location);
        };
        let style = app.error_style();
        let complain = move |text: &str| {
            let _ = message::error(text, &[], &mut io::stderr().lock(), &style);
        };
        serve::serve(listener, registry, ready, complain).context("while serving").map_err(Failure::from)?;
        Ok(Exit::SUCCESS)
    }
}

/// Reports that the server listens: from here on, connections are accepted.
fn announce(app: &App, address: SocketAddr, location: &Registry) -> io::Result<()> {
    let url = format!("http://{address}");
    if app.json() {
        let registry = SafeText::new(&location.to_string());
        json::write(&json!({"schema": "smcp.listening/1", "url": url, "registry": registry}), &mut app.out())?;
    } else {
        writeln!(app.err(), "listening on {url}")?;
    }
    Ok(())
}
