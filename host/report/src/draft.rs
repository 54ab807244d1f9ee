//! Shows what a server used, as permissions: `run --confinement observe`.

use std::io;
use std::io::Write;

use serde_json::Value;
use serde_json::json;

use crate::message;
use crate::style::Style;
use smcp_model::draft::Draft;
use smcp_model::manifest::Permissions;
use smcp_model::text::SafeText;

/// Writes the block, so that it can be copied, and the remarks below it.
///
/// # Errors
/// When the writer fails.
pub fn human(label: &str, draft: &Draft, out: &mut dyn Write, style: &Style) -> io::Result<()> {
    let heading = format!("what {label} used in this run, as the `permissions` of its manifest:");
    message::notice(&heading, out, style)?;
    let block = serde_json::to_string_pretty(&block(&draft.permissions))?;
    writeln!(out, "{block}")?;
    draft.remarks.iter().try_for_each(|remark| message::notice(SafeText::new(remark).as_str(), out, style))
}

/// Permissions as manifests of the hub have them.
fn block(permissions: &Permissions) -> Value {
    let Permissions { network, filesystem_read, filesystem_write, environment, subprocess } = permissions;
    let safe = |list: &[String]| list.iter().map(|text| SafeText::new(text).to_string()).collect::<Vec<_>>();
    json!({
        "network": {"outbound": safe(network)},
        "filesystem": {"read": safe(filesystem_read), "write": safe(filesystem_write)},
        "env_vars": safe(environment),
        "subprocess": subprocess,
    })
}
