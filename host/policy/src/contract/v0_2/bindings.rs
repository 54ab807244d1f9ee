//! The generated types of `tests/wit/0.2/policy.wit`.

wasmtime::component::bindgen!({
    path: "../../tests/wit/0.2",
    world: "policy",
    imports: { default: trappable },
});
