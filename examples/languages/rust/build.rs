//! Embeds the JSON Schema of the settings.

#[path = "src/settings.rs"]
#[expect(dead_code, unreachable_pub, reason = "only the shape of the settings matters here")]
mod settings;

fn main() -> Result<(), smcp_policy_build::Error> {
    smcp_policy_build::settings_schema::<settings::Settings>()
}
