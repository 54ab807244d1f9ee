//! The generated side of `wit/policy.wit`, which only `convert` translates.
//!
//! Nothing past `v0_1` names one of these types.

wasmtime::component::bindgen!({
    path: "../../wit",
    world: "policy",
    // A log line past its budget traps.
    imports: { default: trappable },
});
