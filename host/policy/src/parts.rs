//! Counts what a component makes when it starts, before it is compiled.
//!
//! A component says in few bytes that it has ten of another, which has ten of a third; a compiler writes all of them
//! out. Which module or component each instance is made of is known from the file alone, so the sums are exact.

use wasmparser::BinaryReaderError;
use wasmparser::CanonicalFunction;
use wasmparser::ComponentAlias;
use wasmparser::ComponentExternalKind;
use wasmparser::ComponentInstance;
use wasmparser::ComponentOuterAliasKind;
use wasmparser::ComponentTypeRef;
use wasmparser::ElementItems;
use wasmparser::Instance;
use wasmparser::Payload;

/// What one module or component makes, with everything inside of it. Sums stop at the greatest number.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct PartCounts {
    /// Instances of core modules.
    pub(super) core_instances: usize,
    /// Instances of components.
    pub(super) instances: usize,
    /// Globals of all core instances.
    pub(super) globals: usize,
    /// Imports of all core instances.
    pub(super) imports: usize,
    /// Elements of the segments of all core instances: instances are filled before a deadline can be looked at.
    pub(super) elements: usize,
    /// Data segments of all core instances.
    pub(super) segments: usize,
    /// Bytes of their data sections.
    pub(super) data: usize,
    /// Functions that one part hands to another, each of which the runtime writes code for.
    pub(super) lowered: usize,
}

/// The modules and components that one component can instantiate, by their indices.
#[derive(Debug, Default)]
struct Frame {
    modules: Vec<PartCounts>,
    components: Vec<PartCounts>,
    made: PartCounts,
}

#[derive(Debug)]
enum Open {
    Module(PartCounts),
    Component(Frame),
}

/// Reads a file's payloads, one after the other.
#[derive(Debug)]
pub(super) struct Parts {
    open: Vec<Open>,
    /// At least what any module or component that was read so far makes.
    most: PartCounts,
    /// What all modules of the file have, each once: a compiler takes them even if nothing makes an instance.
    defined: PartCounts,
    /// What the whole file makes; set at its end.
    all: PartCounts,
    hands_on: bool,
}

impl PartCounts {
    fn add(&mut self, other: Self) {
        *self = self.with(other, usize::saturating_add);
    }

    /// Each number joined with the other's.
    pub(super) fn with(self, other: Self, join: impl Fn(usize, usize) -> usize) -> Self {
        Self {
            core_instances: join(self.core_instances, other.core_instances),
            instances: join(self.instances, other.instances),
            globals: join(self.globals, other.globals),
            imports: join(self.imports, other.imports),
            elements: join(self.elements, other.elements),
            segments: join(self.segments, other.segments),
            data: join(self.data, other.data),
            lowered: join(self.lowered, other.lowered),
        }
    }
}

impl Parts {
    pub(super) fn new() -> Self {
        let open = vec![Open::Component(Frame::default())];
        Self {
            open,
            most: PartCounts::default(),
            defined: PartCounts::default(),
            all: PartCounts::default(),
            hands_on: false,
        }
    }

    /// What the whole file makes, or what it has without making it, whichever is more; only complete at its end.
    pub(super) fn made(&self) -> PartCounts {
        self.all.with(self.defined, usize::max)
    }

    /// Whether a component inside imports a component or a module. What it makes depends on what it is handed then.
    pub(super) const fn hands_on(&self) -> bool {
        self.hands_on
    }

    /// Takes the next payload of the file.
    ///
    /// # Errors
    /// When the payload can't be read.
    pub(super) fn take(&mut self, payload: &Payload<'_>) -> Result<(), BinaryReaderError> {
        if let Payload::ModuleSection { .. } = payload {
            self.open.push(Open::Module(PartCounts::default()));
        } else if let Payload::ComponentSection { .. } = payload {
            self.open.push(Open::Component(Frame::default()));
        } else if let Payload::End(_) = payload {
            self.close();
        }
        let inner = self.open.len() > 1;
        let (most, hands_on) = (self.most, &mut self.hands_on);
        match self.open.split_last_mut() {
            Some((Open::Module(module), _)) => module.take(payload)?,
            Some((Open::Component(frame), around)) => {
                *hands_on |= inner && imports_code(payload)?;
                frame.take(payload, around, most)?;
            }
            None => {}
        }
        Ok(())
    }

    fn close(&mut self) {
        let (closed, around) = (self.open.pop(), self.open.last_mut());
        let (made, is_module) = match closed {
            Some(Open::Module(made)) => (made, true),
            Some(Open::Component(frame)) => (frame.made, false),
            None => return,
        };
        self.most = self.most.with(made, usize::max);
        if is_module {
            self.defined.add(made);
        }
        match around {
            Some(Open::Component(frame)) if is_module => frame.modules.push(made),
            Some(Open::Component(frame)) => frame.components.push(made),
            Some(Open::Module(_)) => {}
            None => self.all = made,
        }
    }
}

impl PartCounts {
    fn take(&mut self, payload: &Payload<'_>) -> Result<(), BinaryReaderError> {
        if let Payload::GlobalSection(section) = payload {
            self.globals = self.globals.saturating_add(whole(section.count()));
        } else if let Payload::ImportSection(section) = payload {
            self.imports = self.imports.saturating_add(whole(section.count()));
        } else if let Payload::DataSection(section) = payload {
            self.segments = self.segments.saturating_add(whole(section.count()));
            self.data = self.data.saturating_add(section.range().len());
        } else if let Payload::ElementSection(section) = payload {
            for segment in section.clone() {
                let count = match segment?.items {
                    ElementItems::Functions(items) => items.count(),
                    ElementItems::Expressions(_, items) => items.count(),
                };
                self.elements = self.elements.saturating_add(whole(count));
            }
        }
        Ok(())
    }
}

impl Frame {
    /// `around` has the components in which this one stands; `most` stands for one that an instance exports.
    fn take(&mut self, payload: &Payload<'_>, around: &[Open], most: PartCounts) -> Result<(), BinaryReaderError> {
        if let Payload::InstanceSection(section) = payload {
            for instance in section.clone() {
                if let Instance::Instantiate { module_index, .. } = instance? {
                    self.made.add(PartCounts { core_instances: 1, ..PartCounts::default() });
                    self.made.add(at(&self.modules, module_index));
                }
            }
        } else if let Payload::ComponentInstanceSection(section) = payload {
            for instance in section.clone() {
                if let ComponentInstance::Instantiate { component_index, .. } = instance? {
                    self.made.add(PartCounts { instances: 1, ..PartCounts::default() });
                    self.made.add(at(&self.components, component_index));
                }
            }
        } else if let Payload::ComponentAliasSection(section) = payload {
            for alias in section.clone() {
                self.alias(alias?, around, most);
            }
        // An import or an export is one more index for the same thing.
        } else if let Payload::ComponentImportSection(section) = payload {
            for import in section.clone() {
                match import?.ty {
                    ComponentTypeRef::Module(_) => self.modules.push(PartCounts::default()),
                    ComponentTypeRef::Component(_) => self.components.push(PartCounts::default()),
                    ComponentTypeRef::Func(_)
                    | ComponentTypeRef::Value(_)
                    | ComponentTypeRef::Type(_)
                    | ComponentTypeRef::Instance(_) => {}
                }
            }
        } else if let Payload::ComponentExportSection(section) = payload {
            for export in section.clone() {
                let export = export?;
                self.again(export.kind, |list| at(list, export.index));
            }
        } else if let Payload::ComponentCanonicalSection(section) = payload {
            for function in section.clone() {
                if let CanonicalFunction::Lower { .. } = function? {
                    self.made.add(PartCounts { lowered: 1, ..PartCounts::default() });
                }
            }
        }
        Ok(())
    }

    fn alias(&mut self, alias: ComponentAlias<'_>, around: &[Open], most: PartCounts) {
        match alias {
            ComponentAlias::InstanceExport { kind, .. } => self.again(kind, |_| most),
            ComponentAlias::Outer { kind, count, index } => {
                let frame = match (usize::try_from(count), around) {
                    (Ok(0), _) => &*self,
                    (Ok(count), around) => match around.len().checked_sub(count).and_then(|place| around.get(place)) {
                        Some(Open::Component(frame)) => frame,
                        Some(Open::Module(_)) | None => return,
                    },
                    (Err(_), _) => return,
                };
                match kind {
                    ComponentOuterAliasKind::CoreModule => self.modules.push(at(&frame.modules, index)),
                    ComponentOuterAliasKind::Component => self.components.push(at(&frame.components, index)),
                    ComponentOuterAliasKind::CoreType | ComponentOuterAliasKind::Type => {}
                }
            }
            ComponentAlias::CoreInstanceExport { .. } => {}
        }
    }

    /// Gives a module or component one more index.
    fn again(&mut self, kind: ComponentExternalKind, made: impl FnOnce(&[PartCounts]) -> PartCounts) {
        let list = match kind {
            ComponentExternalKind::Module => &mut self.modules,
            ComponentExternalKind::Component => &mut self.components,
            ComponentExternalKind::Func
            | ComponentExternalKind::Value
            | ComponentExternalKind::Type
            | ComponentExternalKind::Instance => return,
        };
        let made = made(list);
        list.push(made);
    }
}

fn imports_code(payload: &Payload<'_>) -> Result<bool, BinaryReaderError> {
    let Payload::ComponentImportSection(section) = payload else { return Ok(false) };
    for import in section.clone() {
        if let ComponentTypeRef::Module(_) | ComponentTypeRef::Component(_) = import?.ty {
            return Ok(true);
        }
    }
    Ok(false)
}

/// What the module or component with this index makes. The validator refuses an index that there is not.
fn at(list: &[PartCounts], index: u32) -> PartCounts {
    usize::try_from(index).ok().and_then(|index| list.get(index)).copied().unwrap_or_default()
}

fn whole(count: u32) -> usize {
    usize::try_from(count).unwrap_or(usize::MAX)
}
