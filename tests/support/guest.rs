//! Policies made from text: the honest twin, and what a hostile one changes.
//!
//! A twin differs from the honest one in a form of its core module, in its world, or by a component nested in it.
//! All of them become components by the stock encoder, from the same `wit/policy.wit` that authors use. `notation` has
//! what a text can say besides the forms of WebAssembly.

mod notation;

use cap_std::ambient_authority;
use cap_std::fs::Dir;
use wasm_encoder::Component;
use wasm_encoder::ComponentInstanceSection;
use wasm_encoder::ComponentSectionId;
use wasm_encoder::RawSection;
use wasmparser::Parser;
use wasmparser::Payload;
use wit_component::ComponentEncoder;
use wit_component::StringEncoding;
use wit_parser::Resolve;

use crate::guest::notation::Note;

const WIT: &str = include_str!("../../wit/policy.wit");

/// The folder of the texts.
pub(crate) fn folder() -> Dir {
    Dir::open_ambient_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/hostile"), ambient_authority()).unwrap()
}

/// A policy that is honest but for what it was given.
#[derive(Clone)]
pub(crate) struct Twin {
    forms: Vec<String>,
    nested: Vec<Vec<u8>>,
    wit: String,
    strings: StringEncoding,
    /// A component that takes the place of all the rest.
    whole: Option<Vec<u8>>,
}

impl Twin {
    /// The policy that allows every package.
    pub(crate) fn honest() -> Self {
        let text = read("honest");
        let (_, inside) = text.split_once("(module").unwrap();
        let forms = notation::forms(inside.trim_end().strip_suffix(')').unwrap());
        Self { forms, nested: Vec::new(), wit: WIT.to_owned(), strings: StringEncoding::UTF8, whole: None }
    }

    /// The twin that a file describes.
    pub(crate) fn of(file: &str) -> Self {
        if file == "honest" { Self::honest() } else { Self::honest().with(&read(file)) }
    }

    /// The twin that a file with a number in it describes.
    pub(crate) fn counting(file: &str, count: usize) -> Self {
        let text = read(file);
        assert!(text.contains("COUNT"), "{file} takes no number");
        Self::honest().with(&text.replace("COUNT", &count.to_string()))
    }

    /// The same with other forms: `(component …)` is nested, a form that the honest twin has is replaced, any other
    /// is added (imports come first in a module). The notation of the texts is understood.
    pub(crate) fn with(mut self, text: &str) -> Self {
        for form in notation::forms(&notation::repeated(text)) {
            self = match Note::of(&form) {
                None => self.changed(form),
                Some(Note::World { ours, theirs }) => self.world(ours, theirs),
                Some(Note::Strings(encoding)) => self.strings(encoding),
                Some(Note::Whole(component)) => Self { whole: Some(wat::parse_str(component).unwrap()), ..self },
            };
        }
        self
    }

    fn changed(mut self, form: String) -> Self {
        let same = key(&form).and_then(|wanted| self.forms.iter().position(|own| key(own) == Some(wanted)));
        match same {
            _ if form.starts_with("(component") => self.nested.push(wat::parse_str(&form).unwrap()),
            Some(place) => self.forms[place] = form,
            None if form.starts_with("(import") => self.forms.insert(0, form),
            None => self.forms.push(form),
        }
        self
    }

    /// The same with a component in it that no text can describe.
    pub(crate) fn nesting(mut self, component: Vec<u8>) -> Self {
        self.nested.push(component);
        self
    }

    /// The same for a world that differs in one place from ours.
    pub(crate) fn world(mut self, ours: &str, theirs: &str) -> Self {
        assert_eq!(self.wit.matches(ours).count(), 1, "`{ours}` is not in one place of wit/policy.wit");
        self.wit = self.wit.replacen(ours, theirs, 1);
        self
    }

    /// The same with every name of its core module that has `ours` in it changed.
    pub(crate) fn names(mut self, ours: &str, theirs: &str) -> Self {
        for form in &mut self.forms {
            *form = form.replace(ours, theirs);
        }
        self
    }

    /// The same with strings in another encoding.
    pub(crate) fn strings(self, strings: StringEncoding) -> Self {
        Self { strings, ..self }
    }

    /// Its core module, with the world embedded.
    pub(crate) fn module(&self) -> Vec<u8> {
        let mut module = wat::parse_str(format!("(module {})", self.forms.join("\n"))).unwrap();
        let mut resolve = Resolve::default();
        let package = resolve.push_source("policy.wit", &self.wit).unwrap();
        let world = resolve.select_world(&[package], Some("policy")).unwrap();
        wit_component::embed_component_metadata(&mut module, &resolve, world, self.strings).unwrap();
        module
    }

    /// The component.
    ///
    /// It is not validated: that is the host's work, and a hostile one need not be valid.
    pub(crate) fn component(&self) -> Vec<u8> {
        if let Some(whole) = &self.whole {
            return whole.clone();
        }
        let component = ComponentEncoder::default().module(&self.module()).unwrap().encode().unwrap();
        self.nested.iter().fold(component, |outer, inner| nest(outer, inner))
    }

    /// The component, which has to be valid.
    pub(crate) fn valid_component(&self) -> Vec<u8> {
        ComponentEncoder::default().module(&self.module()).unwrap().validate(true).encode().unwrap()
    }
}

fn read(file: &str) -> String {
    folder().read_to_string(format!("{file}.wat")).unwrap_or_else(|error| panic!("{file}.wat: {error}"))
}

/// Puts one more component into `outer`, and an instance of it.
fn nest(mut outer: Vec<u8>, inner: &[u8]) -> Vec<u8> {
    let mut depth = 0_usize;
    let mut index = 0;
    for payload in Parser::new(0).parse_all(&outer) {
        let payload = payload.unwrap();
        if depth == 0 && matches!(payload, Payload::ComponentSection { .. }) {
            index += 1;
        }
        if matches!(payload, Payload::ModuleSection { .. } | Payload::ComponentSection { .. }) {
            depth += 1;
        } else if matches!(payload, Payload::End(_)) {
            depth = depth.saturating_sub(1);
        }
    }
    let mut added = Component::new();
    added.section(&RawSection { id: ComponentSectionId::Component.into(), data: inner });
    let mut instances = ComponentInstanceSection::new();
    instances.instantiate(index, std::iter::empty::<(&str, wasm_encoder::ComponentExportKind, u32)>());
    added.section(&instances);
    outer.extend_from_slice(&added.finish()[Component::HEADER.len()..]);
    outer
}

/// What a form is and what it is called: `(func` and `$evaluate`.
fn key(form: &str) -> Option<(&str, &str)> {
    let mut words = form.split_whitespace();
    let (kind, name) = (words.next()?, words.next()?);
    name.starts_with('$').then_some((kind, name))
}
