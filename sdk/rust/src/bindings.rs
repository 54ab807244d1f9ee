//! The generated side of `wit/policy.wit`, for three files alone.
//!
//! Only `convert.rs`, `component.rs` and `log.rs` name what is in here.

wit_bindgen::generate!({
    path: "wit",
    world: "policy",
    pub_export_macro: true,
    export_macro_name: "export_component",
    default_bindings_module: "smcp_policy_sdk::bindings",
});
