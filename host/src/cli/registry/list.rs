//! `smcp registry list`: what a registry has.

use clap::Args;
use serde_json::Value;
use serde_json::json;

use crate::cli::app::App;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::registry::opened;
use crate::cli::registry::signing::newest_of;
use crate::cli::registry::signing::statements;
use smcp_model::deadline::Deadline;
use smcp_model::package::PackageRef;
use smcp_model::package::Selector;
use smcp_model::registry::Registry;
use smcp_model::statement::FactsStatement;
use smcp_model::statement::StatementTarget;
use smcp_model::time;
use smcp_pipeline::PipelineError;
use smcp_pipeline::shipping;
use smcp_registry::DirectoryRegistry;
use smcp_registry::Listed;
use smcp_registry::RegistryClient as _;
use smcp_report::json;
use smcp_report::style::Span;
use smcp_report::table;
use smcp_signature::minisign;

/// List the packages of the registry that --registry names, with their latest versions.
///
/// A registry of images (oci://HOST/PREFIX) has to list its repositories, which not every one does. Of a registry like the
/// official one (https://…/v0.1) the list can be long.
#[derive(Debug, Args)]
pub(in crate::cli) struct ListPackagesCommand {}

impl ListPackagesCommand {
    /// Carries the command out.
    pub(super) fn execute(self, app: &App) -> Result<Exit, Failure> {
        let Self {} = self;
        let Some(text) = app.named_registry() else {
            return Err(Failure::usage(anyhow::anyhow!("--registry must name the registry to list")));
        };
        let registry = app.registry(text)?;
        let (listed, stated) = match &registry {
            Registry::Directory(path) => {
                let (client, deadline) = (opened(&registry, path)?, Deadline::none());
                let listed: Result<Vec<Listed>, _> = client.catalog(&deadline).and_then(Iterator::collect);
                let listed = listed.map_err(PipelineError::from)?;
                let stated: Vec<_> = listed.iter().map(|package| said_of(&client, package)).collect();
                (listed, stated)
            }
            // What is stated of each would be several more questions for each.
            Registry::Oci(place) => {
                let listed = shipping::list_images(&app.session(None)?, place)?;
                let stated = listed.iter().map(|_| None).collect();
                (listed, stated)
            }
            Registry::Official(url) => {
                let (listed, unnamed) = shipping::list_official(&app.session(None)?, url)?;
                if unnamed > 0 {
                    app.notice(&format!("{unnamed} more have names that no reference can have"));
                }
                let stated = listed.iter().map(|_| None).collect();
                (listed, stated)
            }
            Registry::Url(url) => {
                let error = anyhow::anyhow!(
                    "`{url}` can't be listed: only a directory, a registry of images and one like the official MCP registry \
                     (https://…/v0.1) can"
                );
                return Err(Failure::usage(error));
            }
        };
        let rows =
            listed.iter().map(|package| (package.id.to_string(), package.latest.as_ref().map(ToString::to_string)));
        let rows = rows.zip(&stated);
        if app.json() {
            let package = |((package, latest), stated): ((String, Option<String>), &Option<SaidStatement>)| {
                let mut entry = json!({"package": package, "latest_version": latest});
                if let (Value::Object(members), Some(stated)) = (&mut entry, stated) {
                    members.insert("statement".to_owned(), stated.document());
                }
                entry
            };
            let packages: Vec<_> = rows.map(package).collect();
            let registry = registry.to_string();
            let document = json!({"schema": "smcp.registry/1", "registry": registry, "packages": packages});
            json::write(&document, &mut app.out())?;
        } else {
            let is_signed = stated.iter().any(Option::is_some);
            let cells = rows.map(|((package, latest), stated)| {
                let mut cells = vec![Span::plain(package), Span::plain(latest.as_deref().unwrap_or("-"))];
                if is_signed {
                    cells.push(Span::plain(stated.as_ref().map_or("-".to_owned(), SaidStatement::sentence)));
                }
                cells
            });
            let cells: Vec<_> = cells.collect();
            let headers = ["PACKAGE", "LATEST", "SAID TO BE SIGNED"];
            let headers = headers.get(..if is_signed { 3 } else { 2 }).unwrap_or_default();
            table::table(&mut app.out(), &app.output_style(), headers, &cells)?;
        }
        for Listed { id, problem, .. } in &listed {
            if let Some(problem) = problem {
                app.notice(&format!("{id}: {problem}"));
            }
        }
        Ok(Exit::SUCCESS)
    }
}

/// What the newest statement about a version says of itself. Nothing of it is verified: who is believed, a configuration
/// says, and `smcp info` goes by that.
struct SaidStatement {
    statement: FactsStatement,
    /// The numbers of the keys in its signatures.
    numbers: Vec<String>,
}

/// Returns what the newest statement about the latest version of a package says; `None` when there is none that can be read.
fn said_of(registry: &DirectoryRegistry, package: &Listed) -> Option<SaidStatement> {
    let wanted = PackageRef { id: package.id.clone(), selector: Selector::Exact(package.latest.clone()?) };
    let resolution = registry.resolve(&wanted, &Deadline::none()).ok()?;
    let all = statements(registry, &resolution).ok()?;
    let target = StatementTarget::of(&resolution);
    let (text, statement) = newest_of(all.iter().map(|(text, _)| text.clone()), &target)?;
    let of_this = all.iter().filter(|(other, _)| *other == text);
    let numbers = of_this.filter_map(|(_, signature)| minisign::number_in(signature)).collect();
    Some(SaidStatement { statement, numbers })
}

impl SaidStatement {
    fn document(&self) -> Value {
        let terms = self.statement.terms();
        let expires = time::utc_of(terms.expires);
        json!({"sequence": terms.sequence, "expires": expires, "minisign": self.numbers})
    }

    fn sentence(&self) -> String {
        let terms = self.statement.terms();
        let expires = time::utc_of(terms.expires).unwrap_or_default();
        format!("by {}, number {}, until {expires}", self.numbers.join(" and "), terms.sequence)
    }
}
