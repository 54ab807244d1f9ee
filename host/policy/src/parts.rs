//! Counts what a component makes when it is instantiated, before it is compiled.
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
use wasmparser::Instance;
use wasmparser::Payload;

/// What one module or component makes, with everything inside of it. Sums stop at the greatest number.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Made {
    /// Instances of core modules.
    pub(super) core_instances: usize,
    /// Instances of components.
    pub(super) instances: usize,
    /// Globals of all core instances.
    pub(super) globals: usize,
    /// Imports of all core instances.
    pub(super) imports: usize,
    /// Functions that one part hands to another, each of which the runtime writes code for.
    pub(super) lowered: usize,
}

/// The modules and components that one component can instantiate, by their indices.
#[derive(Debug, Default)]
struct Frame {
    modules: Vec<Made>,
    components: Vec<Made>,
    made: Made,
}

#[derive(Debug)]
enum Open {
    Module(Made),
    Component(Frame),
}

/// Reads a file's payloads, one after the other.
#[derive(Debug)]
pub(super) struct Parts {
    open: Vec<Open>,
    /// At least what any module or component that was read so far makes.
    most: Made,
    /// What the whole file makes; set at its end.
    all: Made,
    hands_on: bool,
}

impl Made {
    fn add(&mut self, other: Self) {
        let Self { core_instances, instances, globals, imports, lowered } = other;
        self.core_instances = self.core_instances.saturating_add(core_instances);
        self.instances = self.instances.saturating_add(instances);
        self.globals = self.globals.saturating_add(globals);
        self.imports = self.imports.saturating_add(imports);
        self.lowered = self.lowered.saturating_add(lowered);
    }

    fn max(self, other: Self) -> Self {
        Self {
            core_instances: self.core_instances.max(other.core_instances),
            instances: self.instances.max(other.instances),
            globals: self.globals.max(other.globals),
            imports: self.imports.max(other.imports),
            lowered: self.lowered.max(other.lowered),
        }
    }
}

impl Parts {
    pub(super) fn new() -> Self {
        let open = vec![Open::Component(Frame::default())];
        Self { open, most: Made::default(), all: Made::default(), hands_on: false }
    }

    /// What the whole file makes; only complete at its end.
    pub(super) const fn made(&self) -> Made {
        self.all
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
        match payload {
            Payload::ModuleSection { .. } => self.open.push(Open::Module(Made::default())),
            Payload::ComponentSection { .. } => self.open.push(Open::Component(Frame::default())),
            Payload::End(_) => self.close(),
            _ => {}
        }
        let inner = self.open.len() > 1;
        let (most, hands_on) = (self.most, &mut self.hands_on);
        match self.open.split_last_mut() {
            Some((Open::Module(module), _)) => module.take(payload),
            Some((Open::Component(frame), around)) => {
                *hands_on |= inner && imports_code(payload)?;
                frame.take(payload, around, most)
            }
            None => Ok(()),
        }
    }

    fn close(&mut self) {
        let (closed, around) = (self.open.pop(), self.open.last_mut());
        let (made, is_module) = match closed {
            Some(Open::Module(made)) => (made, true),
            Some(Open::Component(frame)) => (frame.made, false),
            None => return,
        };
        self.most = self.most.max(made);
        match around {
            Some(Open::Component(frame)) if is_module => frame.modules.push(made),
            Some(Open::Component(frame)) => frame.components.push(made),
            Some(Open::Module(_)) => {}
            None => self.all = made,
        }
    }
}

impl Made {
    fn take(&mut self, payload: &Payload<'_>) -> Result<(), BinaryReaderError> {
        match payload {
            Payload::GlobalSection(section) => self.globals = self.globals.saturating_add(whole(section.count())),
            Payload::ImportSection(section) => self.imports = self.imports.saturating_add(whole(section.count())),
            _ => {}
        }
        Ok(())
    }
}

impl Frame {
    /// `around` has the components in which this one stands; `most` stands for one that an instance exports.
    fn take(&mut self, payload: &Payload<'_>, around: &[Open], most: Made) -> Result<(), BinaryReaderError> {
        match payload {
            Payload::InstanceSection(section) => {
                for instance in section.clone() {
                    if let Instance::Instantiate { module_index, .. } = instance? {
                        self.made.add(Made { core_instances: 1, ..Made::default() });
                        self.made.add(at(&self.modules, module_index));
                    }
                }
            }
            Payload::ComponentInstanceSection(section) => {
                for instance in section.clone() {
                    if let ComponentInstance::Instantiate { component_index, .. } = instance? {
                        self.made.add(Made { instances: 1, ..Made::default() });
                        self.made.add(at(&self.components, component_index));
                    }
                }
            }
            Payload::ComponentAliasSection(section) => {
                for alias in section.clone() {
                    self.alias(alias?, around, most);
                }
            }
            // An import or an export is one more index for the same thing.
            Payload::ComponentImportSection(section) => {
                for import in section.clone() {
                    match import?.ty {
                        ComponentTypeRef::Module(_) => self.modules.push(Made::default()),
                        ComponentTypeRef::Component(_) => self.components.push(Made::default()),
                        ComponentTypeRef::Func(_)
                        | ComponentTypeRef::Value(_)
                        | ComponentTypeRef::Type(_)
                        | ComponentTypeRef::Instance(_) => {}
                    }
                }
            }
            Payload::ComponentExportSection(section) => {
                for export in section.clone() {
                    let export = export?;
                    self.again(export.kind, |list| at(list, export.index));
                }
            }
            Payload::ComponentCanonicalSection(section) => {
                for function in section.clone() {
                    if let CanonicalFunction::Lower { .. } = function? {
                        self.made.add(Made { lowered: 1, ..Made::default() });
                    }
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn alias(&mut self, alias: ComponentAlias<'_>, around: &[Open], most: Made) {
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
    fn again(&mut self, kind: ComponentExternalKind, made: impl FnOnce(&[Made]) -> Made) {
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
fn at(list: &[Made], index: u32) -> Made {
    usize::try_from(index).ok().and_then(|index| list.get(index)).copied().unwrap_or_default()
}

fn whole(count: u32) -> usize {
    usize::try_from(count).unwrap_or(usize::MAX)
}
