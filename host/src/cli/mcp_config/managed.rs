//! `smcp mcp-config --managed`: settings under which a client starts no more.

use std::collections::BTreeSet;
use std::io::Write as _;

use anyhow::anyhow;

use crate::cli::app::App;
use crate::cli::client::managed::ManagedClient;
use crate::cli::client::place::Folders;
use crate::cli::failure::Failure;
use crate::cli::forecast::Forecast;
use crate::cli::mcp_config::McpConfigCommand;

impl McpConfigCommand {
    /// Prints the managed settings under which a client may start these packages and nothing else.
    pub(super) fn print_managed(&self, app: &App, client: ManagedClient) -> Result<(), Failure> {
        let profile = client.client().profile();
        let several = self.references.len() > 1;
        if several && !(self.arguments.is_empty() && self.name.is_none()) {
            let what = if self.arguments.is_empty() { "--name" } else { "arguments behind `--`" };
            return Err(Failure::usage(anyhow!("{what} can only be given for one package at a time")));
        }
        let servers = self.references.iter().map(|reference| self.server(app, &profile, reference));
        let servers: Vec<_> = servers.collect::<Result<_, _>>()?;
        let mut names = BTreeSet::new();
        // The others compare the line alone.
        let twice = servers.iter().find(|server| !names.insert(&server.name));
        if let Some(twice) = twice.filter(|_| client == ManagedClient::Codex) {
            let name = &twice.name;
            return Err(Failure::usage(anyhow!("two of the packages would be called `{name}`: print them one by one")));
        }
        app.out().write_all(client.settings(&servers).as_bytes())?;
        if let Some(path) = client.file(&Folders::of(app)) {
            app.notice(&format!(
                "this goes into {}; it has to belong to root, and nobody else may write to it",
                path.display()
            ));
        }
        app.notice(match client {
            ManagedClient::Codex => {
                "Codex compares the name as well: the server has to be called so in config.toml, and plugins and apps \
                 are switched off, because they bring servers of their own"
            }
            ManagedClient::Vscode => {
                "sessions of VS Code's agent host, and extensions, start servers that these settings say nothing about"
            }
            ManagedClient::ClaudeCode => {
                "what is set for the account of an organisation goes before this file: set it there, too; what \
                 managed-settings.d beside it has is added to it, and may allow more: `smcp doctor` reads both"
            }
        });
        app.notice(
            "no client compares a server's variables: rules that have to hold whatever a user sets belong into the \
             system layer, /etc/mcp",
        );
        let notices = self.references.iter().filter(|_| !app.is_quiet()).map(|reference| {
            let (forecast, _) = Forecast::of(app.session(None)?, reference, self.trust);
            Ok(forecast.notice(reference))
        });
        let notices: Vec<_> = notices.collect::<Result<_, Failure>>()?;
        notices.iter().flatten().for_each(|notice| app.notice(notice));
        Ok(())
    }
}
