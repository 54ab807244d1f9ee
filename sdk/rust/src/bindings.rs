//! The types and functions that are generated from `wit/policy.wit`.
//!
//! Only `convert.rs`, `component.rs` and `log.rs` use them.

wit_bindgen::generate!({
    path: "wit",
    world: "policy",
    pub_export_macro: true,
    export_macro_name: "export_component",
    default_bindings_module: "smcp_policy_sdk::bindings",
    // The types of the interface are ours, field by field, so that nothing has to be converted.
    with: {
        "smcp:policy/evaluator@0.1.0/request": crate::request::Request,
        "smcp:policy/evaluator@0.1.0/subject": crate::request::Subject,
        "smcp:policy/evaluator@0.1.0/context": crate::request::Context,
        "smcp:policy/evaluator@0.1.0/origin": crate::request::Origin,
        "smcp:policy/evaluator@0.1.0/severity-counts": crate::request::SeverityCounts,
        "smcp:policy/evaluator@0.1.0/entrypoint": crate::request::Entrypoint,
        "smcp:policy/evaluator@0.1.0/permissions": crate::request::Permissions,
        "smcp:policy/evaluator@0.1.0/verdict": crate::verdict::Verdict,
        "smcp:policy/evaluator@0.1.0/finding": crate::verdict::Finding,
        "smcp:policy/evaluator@0.1.0/on-warn": crate::verdict::OnWarn,
        "smcp:policy/evaluator@0.1.0/settings-problem": crate::settings::SettingsProblem,
        "smcp:policy/logging@0.1.0/level": crate::log::Level,
    },
});
