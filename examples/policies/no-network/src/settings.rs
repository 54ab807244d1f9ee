//! wip
/// wip
#[derive(Debug, serde::Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// wip
    #[serde(default)]
    pub allow: Vec<String>,
}
