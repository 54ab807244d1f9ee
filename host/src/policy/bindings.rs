//! The generated side of `wit/policy.wit`. Nothing past `convert` names one of these types.

wasmtime::component::bindgen!({
    path: "../wit",
    world: "policy",
    // A log line past its budget traps.
    imports: { default: trappable },
});
