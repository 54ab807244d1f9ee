//! The types and functions that are generated from `wit/policy.wit`.
//!
//! Only `convert.rs`, `component.rs` and `log.rs` use them.

wit_bindgen::generate!({
    path: "wit",
    world: "policy",
    pub_export_macro: true,
    export_macro_name: "export_component",
    default_bindings_module: "smcp_policy_sdk::bindings",
});
