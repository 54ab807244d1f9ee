//! Checks a file before it is compiled: sizes, imports and exports.

use wasmparser::Parser;
use wasmparser::Payload;

use crate::body::BodyCounts;
use crate::contract::EVALUATOR;
use crate::contract::LOGGING;
use crate::contract::SERVED;
use crate::parts::Parts;
use smcp_model::content;
use smcp_model::limits;
use smcp_model::limits::PolicyLimits;
use smcp_model::limits::parts;
use smcp_model::text::SafeText;
use smcp_model::verdict::Fault;
use smcp_model::verdict::FaultKind;

/// The remedy for a file over its limit.
const BUILD_SMALLER: &str =
    "build it smaller: optimised for size, stripped, in a language without a large runtime (docs/policy-authors.md)";
/// The remedy for parts that multiply.
const FEWER_PARTS: &str = "build it of fewer parts: one module is enough for a policy";

/// The prefix of all interface names of smcp, in every version.
const PACKAGE: &str = "smcp:policy/";

/// The imports and exports of a component.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ComponentShape {
    /// The names of its imports, in order.
    pub imports: Vec<String>,
    /// The names of its exports, in order.
    pub exports: Vec<String>,
    /// The number of globals of all its core instances together.
    pub globals: usize,
}

/// The fault of a file with `size` bytes, more than `most`.
pub(super) fn too_large(size: Option<u64>, most: usize) -> Fault {
    let found = size.map_or_else(|| format!("more than {most}"), |size| size.to_string());
    let message = format!("it has {found} bytes, and a component may have {most}");
    let more = PolicyLimits { component_size: most, ..PolicyLimits::DEFAULT }.more("component_size");
    Fault::new(FaultKind::Load, message).remedy(format!("{BUILD_SMALLER}{more}"))
}

/// Checks that a component has at most `most` bytes.
///
/// # Errors
/// [`FaultKind::Load`] when it has more.
pub(super) fn check_size(size: usize, most: usize) -> Result<(), Fault> {
    if size > most { Err(too_large(u64::try_from(size).ok(), most)) } else { Ok(()) }
}

enum Unfit {
    Broken(wasmparser::BinaryReaderError),
    TooLarge(String),
    TooManyParts(FaultKind, String),
}

impl From<wasmparser::BinaryReaderError> for Unfit {
    fn from(error: wasmparser::BinaryReaderError) -> Self {
        Self::Broken(error)
    }
}

fn walk(bytes: &[u8]) -> Result<ComponentShape, Unfit> {
    let mut shape = ComponentShape::default();
    let mut depth = 0_usize;
    let (mut functions, mut branches) = (0_usize, 0_usize);
    let mut made = Parts::new();
    for payload in Parser::new(0).parse_all(bytes) {
        let payload = payload?;
        if let Payload::ModuleSection { .. } | Payload::ComponentSection { .. } = payload {
            depth = depth.saturating_add(1);
            at_most(depth, limits::NESTING, "components and modules inside one another")?;
        } else if let Payload::End(_) = payload {
            depth = depth.saturating_sub(1);
        } else if let Payload::CodeSectionEntry(body) = &payload {
            functions = functions.saturating_add(1);
            at_most(body.range().len(), limits::FUNCTION_BODY, "bytes in one function")?;
            at_most(functions, limits::FUNCTIONS, "functions")?;
            branches = branches.saturating_add(check_body(&BodyCounts::of(body)?)?);
            at_most(branches, parts::BRANCHES, "ways in its tables of branches")?;
        } else if let Payload::ComponentTypeSection(section) = &payload {
            at_most(nested_types(bytes.get(section.range())), limits::NESTED_TYPES, "types inside others")?;
        } else if let (Payload::ComponentImportSection(section), 0) = (&payload, depth) {
            for import in section.clone() {
                shape.imports.push(import?.name.name.to_owned());
            }
        } else if let (Payload::ComponentExportSection(section), 0) = (&payload, depth) {
            for export in section.clone() {
                shape.exports.push(export?.name.name.to_owned());
            }
        }
        made.take(&payload)?;
    }
    check_parts(&made)?;
    shape.globals = made.made().globals;
    Ok(shape)
}

/// Checks one function. Returns the number of ways in its tables of branches, which count for all functions together.
fn check_body(body: &BodyCounts) -> Result<usize, Unfit> {
    let BodyCounts { loops, loop_values, bulk, branches } = *body;
    at_most(loops, parts::LOOPS, "loops in one function")?;
    at_most(loop_values, parts::LOOP_VALUES, "values in the loops of one function (its loops times its locals)")?;
    at_most(bulk, parts::BULK_OPERATIONS, "bulk operations in one function")?;
    Ok(branches)
}

/// Checks what the parts of a component make together: the compiler writes out each instance for itself, and what an
/// instance begins with is put there before a deadline can be looked at.
fn check_parts(found: &Parts) -> Result<(), Unfit> {
    if found.hands_on() {
        let what = "a component inside it imports another component or a module, so that its size can't be told";
        return Err(Unfit::TooManyParts(FaultKind::Load, what.to_owned()));
    }
    let made = found.made();
    let counts = [
        (FaultKind::Limit, made.core_instances, PolicyLimits::CEILING.instances, "core instances"),
        (FaultKind::Limit, made.instances, parts::COMPONENT_INSTANCES, "instances of components"),
        (FaultKind::Limit, made.globals, parts::GLOBALS, "globals"),
        (FaultKind::Load, made.imports, parts::INSTANCE_IMPORTS, "imports of core instances"),
        (FaultKind::Load, made.elements, parts::SEGMENT_ELEMENTS, "elements of segments"),
        (FaultKind::Load, made.segments, parts::DATA_SEGMENTS, "data segments"),
        (FaultKind::Load, made.data, parts::INSTANCE_DATA, "bytes in data segments"),
        (FaultKind::Load, made.lowered, parts::LOWERED, "functions handed on"),
    ];
    for (kind, found, most, what) in counts {
        if found > most {
            let found = if found == usize::MAX { "countless".to_owned() } else { found.to_string() };
            return Err(Unfit::TooManyParts(
                kind,
                format!("it has {found} {what} in all its parts, and a policy may have {most}"),
            ));
        }
    }
    Ok(())
}

fn at_most(count: usize, most: usize, what: &str) -> Result<(), Unfit> {
    if count > most {
        return Err(Unfit::TooLarge(format!("it has more than {most} {what}, the most a policy may have")));
    }
    Ok(())
}

/// Counts the places in a section of types at which the type of a component or an instance could begin inside another.
///
/// Parsers read such types recursively, so they must be counted without a parser. A nested type begins with the byte of
/// a type declaration and the byte of its own kind. The same two bytes with another meaning are counted too, so the
/// count is never less than the depth.
fn nested_types(section: Option<&[u8]>) -> usize {
    const DECLARES_A_TYPE: u8 = 0x01;
    const COMPONENT: u8 = 0x41;
    const INSTANCE: u8 = 0x42;
    let begins = |pair: &&[u8]| matches!(pair, [DECLARES_A_TYPE, COMPONENT | INSTANCE]);
    section.map_or(usize::MAX, |section| section.windows(2).filter(begins).count())
}

fn not_a_component(bytes: &[u8]) -> Fault {
    let (what, remedy) = match bytes {
        [] => ("it is empty", "build it again"),
        _ if Parser::is_core_wasm(bytes) => {
            ("it is a core module, not a component", "make a component of it with `smcp policy build`")
        }
        _ if wasmtime::Engine::detect_precompiled(bytes).is_some() => {
            ("it is compiled code, which is never accepted from outside", "name the `.wasm` it was compiled from")
        }
        [b'(', ..] => ("it is text, not a binary component", "translate it with `wasm-tools parse`"),
        _ => match content::recognise(bytes) {
            Some((what, remedy)) => {
                return Fault::new(FaultKind::Load, format!("it is {what}, not a component")).remedy(remedy);
            }
            None => ("it is not a component", "name a `.wasm` component that targets the world `smcp:policy/policy`"),
        },
    };
    Fault::new(FaultKind::Load, what).remedy(remedy)
}

impl ComponentShape {
    /// Reads the imports and exports of a component without compiling it. It may have `component_size` bytes.
    ///
    /// # Errors
    /// [`FaultKind::Load`] when the bytes are too many, not a component, cut short, or have a function too large to
    /// compile safely; [`FaultKind::Limit`] when its parts make more instances or globals than any policy may have.
    pub fn of(bytes: &[u8], component_size: usize) -> Result<Self, Fault> {
        check_size(bytes.len(), component_size)?;
        if !Parser::is_component(bytes) {
            return Err(not_a_component(bytes));
        }
        walk(bytes).map_err(|error| match error {
            Unfit::Broken(error) => Fault::new(FaultKind::Load, format!("it is not a valid component: {error}"))
                .remedy("build it again; the file may be cut short"),
            Unfit::TooLarge(what) => Fault::new(FaultKind::Load, what).remedy(BUILD_SMALLER),
            Unfit::TooManyParts(kind, what) => Fault::new(kind, what).remedy(FEWER_PARTS),
        })
    }

    /// Compares the imports and exports with the contract. A policy's imports are its capabilities.
    ///
    /// # Errors
    /// [`FaultKind::Interface`] with the names found, the names allowed, and the way to build without the others.
    pub fn check(&self) -> Result<(), Fault> {
        let served = |name: &str| SERVED.iter().find(|(evaluator, _)| *evaluator == name);
        let found = self.exports.iter().find_map(|name| served(name));
        let (evaluator, logging) = *found.unwrap_or(&(EVALUATOR, LOGGING));
        let foreign: Vec<_> = self.imports.iter().filter(|name| *name != logging).map(String::as_str).collect();
        if !foreign.is_empty() {
            let message =
                format!("it imports {}, and a policy may import {logging} and nothing else", shown_names(&foreign));
            return Err(Fault::new(FaultKind::Interface, message).remedy(build_without(&foreign)));
        }
        let others: Vec<_> = self.exports.iter().map(String::as_str).filter(|name| *name != evaluator).collect();
        if found.is_none() {
            let found = if others.is_empty() { "nothing".to_owned() } else { shown_names(&others) };
            let known: Vec<_> = SERVED.iter().map(|(evaluator, _)| *evaluator).collect();
            let message = format!("it exports {found}, and a policy exports {}", known.join(" or "));
            return Err(Fault::new(FaultKind::Interface, message)
                .remedy("build it for the world `policy` of wit/policy.wit, package smcp:policy@0.1.0"));
        }
        // Other exports are never called; but with two contracts it is not clear which one counts.
        others.into_iter().find(|name| name.starts_with(PACKAGE)).map_or(Ok(()), |other| {
            let message = format!(
                "it exports {} beside {evaluator}, and a policy has one contract with smcp",
                shown_names(&[other])
            );
            Err(Fault::new(FaultKind::Interface, message).remedy("build it for one version of smcp:policy"))
        })
    }
}

/// Lists names for a message: as many as fit, each cut to fit, and the number of those left out.
fn shown_names(names: &[&str]) -> String {
    let shown = names.iter().take(limits::NAMES_SHOWN);
    let mut text =
        shown.map(|name| SafeText::within(name, limits::NAME_SHOWN).to_string()).collect::<Vec<_>>().join(", ");
    let more = names.len().saturating_sub(limits::NAMES_SHOWN);
    if more > 0 {
        text.push_str(&format!(" and {more} more"));
    }
    text
}

fn build_without(foreign: &[&str]) -> &'static str {
    if foreign.iter().any(|name| name.starts_with("wasi:")) {
        "build it without WASI: Rust for wasm32-unknown-unknown, C for wasm32-wasi with a main-less reactor, JavaScript \
         with componentize-js and `-d random stdio clocks http fetch-event` or with componentize-qjs and `--stub-wasi \
         --sync`, Python with componentize-py and `--stub-wasi`"
    } else if foreign.iter().any(|name| name.starts_with(PACKAGE)) {
        "build it against the wit/policy.wit of this version, package smcp:policy@0.1.0"
    } else {
        "take the import out: a policy is a function of the request and its settings alone"
    }
}
