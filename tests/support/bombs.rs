//! Components that are small and valid, and take a compiler's time or memory.

use wasm_encoder::ComponentSectionId;
use wasm_encoder::Encode as _;

/// A component with one module of this text.
fn component(module: &str) -> Vec<u8> {
    wat::parse_str(format!("(component (core module {module}))")).unwrap()
}

/// Loops inside one another, in each of which every local changes: each begins with a value for each local. 1,000 by 1,000
/// are 17 kilobytes of file, and a million values: many seconds, and more than a gigabyte.
pub(crate) fn nested_loops(loops: usize, locals: usize) -> Vec<u8> {
    let declared = "i32 ".repeat(locals);
    // Each depends on its neighbour, so none is constant, and all decide in the end.
    let change = |local| {
        let next = (local + 1) % locals;
        format!("(local.set {local} (i32.add (local.get {local}) (local.get {next})))")
    };
    let changes = (0..locals).map(change);
    let changes: String = changes.collect();
    let (begin, end) = ("loop\n".repeat(loops), "(br_if 0 (local.get 0)) end\n".repeat(loops));
    component(&format!("(func (local {declared}) {begin} {changes} {end})"))
}

/// As many values in nested loops as a policy may have: nothing before a compiler refuses it, and it takes minutes.
pub(crate) fn slow_to_compile() -> Vec<u8> {
    nested_loops(400, 499)
}

/// Components that make instances of components, so many each, so many levels deep: the instances grow as a power. 10 by 7
/// are 366 bytes of file, and more than a gigabyte.
pub(crate) fn tower(width: usize, levels: usize) -> Vec<u8> {
    let floor = "(component (core module $m) (core instance (instantiate $m)))".to_owned();
    let tower = (0..levels).fold(floor, |inner, _| {
        let instances = "(instance (instantiate 0))".repeat(width);
        format!("(component {inner} {instances})")
    });
    wat::parse_str(tower).unwrap()
}

/// A policy that is honest, and has such a component in it.
pub(crate) fn policy(honest: &[u8], bomb: &[u8]) -> Vec<u8> {
    let mut component = honest.to_vec();
    component.push(ComponentSectionId::Component.into());
    bomb.encode(&mut component);
    component
}
