//! The generated types of `wit/policy.wit`, which only `convert` translates.
//!
//! No code outside `v0_1` names one of these types.

wasmtime::component::bindgen!({
    path: "../../wit",
    world: "policy",
    // A log line over its budget traps.
    imports: { default: trappable },
});
