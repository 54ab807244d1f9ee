//! What a file is, before a compiler sees it: a component, within the sizes, with our imports and exports.

use wasmparser::Parser;
use wasmparser::Payload;

use crate::model::limits;
use crate::model::verdict::Fault;
use crate::model::verdict::FaultKind;

/// The only interface that a policy may import.
pub(super) const LOGGING: &str = "smcp:policy/logging@0.1.0";
/// The interface that every policy exports.
pub(super) const EVALUATOR: &str = "smcp:policy/evaluator@0.1.0";

/// The outside of a component.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Shape {
    /// The names of its imports, in order.
    pub imports: Vec<String>,
    /// The names of its exports, in order.
    pub exports: Vec<String>,
}

/// Looks at `bytes` without compiling anything.
///
/// # Errors
/// [`FaultKind::Load`] when they are too large, no component, cut short, or have a function too large to compile
/// safely.
pub(super) fn read(bytes: &[u8], component_size: usize) -> Result<Shape, Fault> {
    if bytes.len() > component_size {
        let message = format!("it has {} bytes, and a component may have {component_size}", bytes.len());
        return Err(Fault::new(FaultKind::Load, message));
    }
    if !Parser::is_component(bytes) {
        return Err(not_a_component(bytes));
    }
    walk(bytes).map_err(|error| match error {
        Unfit::Broken(error) => Fault::new(FaultKind::Load, format!("it is not a valid component: {error}"))
            .remedy("build it again; the file may be cut short"),
        Unfit::TooLarge(what) => Fault::new(FaultKind::Load, what),
    })
}

enum Unfit {
    Broken(wasmparser::BinaryReaderError),
    TooLarge(String),
}

impl From<wasmparser::BinaryReaderError> for Unfit {
    fn from(error: wasmparser::BinaryReaderError) -> Self {
        Self::Broken(error)
    }
}

fn walk(bytes: &[u8]) -> Result<Shape, Unfit> {
    let mut shape = Shape::default();
    let mut depth = 0_usize;
    let mut functions = 0_usize;
    for payload in Parser::new(0).parse_all(bytes) {
        let payload = payload?;
        if let Payload::ModuleSection { .. } | Payload::ComponentSection { .. } = payload {
            depth = depth.saturating_add(1);
        } else if let Payload::End(_) = payload {
            depth = depth.saturating_sub(1);
        } else if let Payload::CodeSectionEntry(body) = payload {
            functions = functions.saturating_add(1);
            check_function(body.range().len(), functions)?;
        } else if let (Payload::ComponentImportSection(section), 0) = (&payload, depth) {
            for import in section.clone() {
                shape.imports.push(import?.name.name.to_owned());
            }
        } else if let (Payload::ComponentExportSection(section), 0) = (&payload, depth) {
            for export in section.clone() {
                shape.exports.push(export?.name.name.to_owned());
            }
        }
    }
    Ok(shape)
}

fn check_function(length: usize, number: usize) -> Result<(), Unfit> {
    if length > limits::FUNCTION_BODY {
        let most = limits::FUNCTION_BODY;
        return Err(Unfit::TooLarge(format!("a function of it has {length} bytes, and one may have {most}")));
    }
    if number > limits::FUNCTIONS {
        return Err(Unfit::TooLarge(format!("it has more than {} functions", limits::FUNCTIONS)));
    }
    Ok(())
}

fn not_a_component(bytes: &[u8]) -> Fault {
    let (what, remedy) = match bytes {
        [] => ("it is empty", "build it again"),
        _ if Parser::is_core_wasm(bytes) => (
            "it is a core module, not a component",
            "make a component of it with `wasm-tools component new`, or with `smcp policy build` for a Rust policy",
        ),
        _ if wasmtime::Engine::detect_precompiled(bytes).is_some() => {
            ("it is compiled code, which is never accepted from outside", "name the `.wasm` it was compiled from")
        }
        [b'(', ..] => ("it is text, not a binary component", "translate it with `wasm-tools parse`"),
        _ => ("it is not a component", "name a `.wasm` component that targets the world `smcp:policy/policy`"),
    };
    Fault::new(FaultKind::Load, what).remedy(remedy)
}

impl Shape {
    /// Checks the names on the outside against the contract. A policy's import list is its list of capabilities.
    ///
    /// # Errors
    /// [`FaultKind::Interface`], saying what was found, what is allowed, and how to build without it.
    pub(super) fn check(&self) -> Result<(), Fault> {
        let foreign: Vec<_> = self.imports.iter().filter(|name| *name != LOGGING).map(String::as_str).collect();
        if !foreign.is_empty() {
            let message =
                format!("it imports {}, and a policy may import {LOGGING} and nothing else", foreign.join(", "));
            return Err(Fault::new(FaultKind::Interface, message).remedy(build_without(&foreign)));
        }
        if self.exports.iter().any(|name| name == EVALUATOR) {
            return Ok(());
        }
        let found = if self.exports.is_empty() { "nothing".to_owned() } else { self.exports.join(", ") };
        Err(Fault::new(FaultKind::Interface, format!("it exports {found}, and a policy exports {EVALUATOR}"))
            .remedy("build it for the world `policy` of wit/policy.wit, package smcp:policy@0.1.0"))
    }
}

fn build_without(foreign: &[&str]) -> &'static str {
    if foreign.iter().any(|name| name.starts_with("wasi:")) {
        "build it without WASI: Rust for wasm32-unknown-unknown, Python with `componentize-py --stub-wasi`, \
         JavaScript with componentize-js and its features disabled, or with componentize-qjs"
    } else if foreign.iter().any(|name| name.starts_with("smcp:policy/")) {
        "build it against the wit/policy.wit of this version, package smcp:policy@0.1.0"
    } else {
        "take the import out: a policy is a function of the request and its settings alone"
    }
}
