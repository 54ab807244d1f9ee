//! Loads a component: compiles, links and describes it.

use std::ptr::NonNull;
use std::sync::Arc;
use std::time::Duration;

use wasmtime::Engine;
use wasmtime::component;

use crate::call::Allowance;
use crate::compile;
use crate::compile::NotCompiled;
use crate::compiled::Code;
use crate::compiled::Known;
use crate::compiled::Slot;
use crate::component::CodeSource;
use crate::component::Component;
use crate::contract::Contract;
use crate::contract::Description;
use crate::host::Runtime;
use crate::kept::Kept;
use crate::kept::Notes;
use crate::machine_code::CodeImage;
use crate::machine_code::MachineCode;
use crate::pages;
use crate::room;
use crate::shape;
use crate::shape::ComponentShape;
use crate::site::Sites;
use smcp_model::deadline::Deadline;
use smcp_model::digest::Digest;
use smcp_model::limits;
use smcp_model::limits::PolicyLimits;
use smcp_model::policy::LayerName;
use smcp_model::verdict::Fault;
use smcp_model::verdict::FaultKind;

/// A component that is compiled, linked and described.
pub(crate) struct Loaded {
    /// Its description of itself.
    pub(crate) description: Description,
    /// The linked component, ready to be called.
    pub(crate) contract: Contract,
    /// The same in the pool, when there is one and the component fits into it.
    pub(crate) pooled: Option<Contract>,
    /// The time that `describe` took; zero when its answer was kept.
    pub(crate) describing: Duration,
    /// Its code, and what is known of it.
    pub(crate) code: Arc<Code>,
    /// Kept as long as the policy: the same bytes are not compiled again meanwhile.
    _slot: Option<Arc<Slot>>,
}

/// Which layer wants a component, and what it may need.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Wanted<'a> {
    pub(crate) component: &'a Component,
    pub(crate) layer: LayerName,
    pub(crate) limits: &'a PolicyLimits,
}

impl Runtime {
    /// Makes a component ready to be called, and asks for its description, unless its answer was kept. The code is put
    /// into `found` even when it can't be called.
    ///
    /// # Errors
    /// Any kind of fault: loading calls `describe`, which can fail like any other call.
    pub(crate) fn load(&self, wanted: Wanted<'_>, found: &mut Option<Arc<Code>>) -> Result<Loaded, Fault> {
        let limits = wanted.limits;
        let slot = self.slot(wanted.component, wanted.layer);
        let code = match &slot {
            Some(slot) => self.code(slot, wanted, Deadline::none())?,
            None => self.embedded(wanted.component)?,
        };
        *found = Some(Arc::clone(&code));
        check_counts(&code.component, limits)?;
        check_globals(code.known().notes.memory_of_globals(), limits)?;
        let contract = Contract::link(&self.sites.own, &code.component, &code)?;
        let in_pool = self.sites.pool.as_ref().zip(code.pooled.as_ref());
        let pooled = in_pool.and_then(|(pool, component)| Contract::link(pool, component, &code).ok());
        let kept = code.known().notes.description();
        let (description, describing) = match kept {
            Some(description) => (description, Duration::ZERO),
            None => {
                let output = limits::DESCRIBE_OUTPUT;
                let allowance = Allowance { limits, spent: Duration::ZERO, output, clock: self.clock };
                let described = self.make_one(contract.describe(allowance))?;
                let mut known = code.known();
                known.notes.describe(&described.value);
                known.changed = true;
                (described.value, described.duration)
            }
        };
        Ok(Loaded { description, contract, pooled, describing, code, _slot: slot })
    }

    /// The slot for the code of a component; `None` for one that is part of the program.
    pub(crate) fn slot(&self, component: &Component, layer: LayerName) -> Option<Arc<Slot>> {
        match component.code() {
            CodeSource::BuiltIn(_) => None,
            CodeSource::Bytes(_) | CodeSource::Elsewhere { .. } => Some(self.compiled.slot(component.digest(), layer)),
        }
    }

    /// Looks for a component's code in the store, and for a fault that needs no compiler to be found.
    pub(crate) fn settle(&self, slot: &Slot, wanted: Wanted<'_>) {
        let Wanted { component, limits, .. } = wanted;
        if self.is_open(slot, wanted) {
            let checked =
                || ComponentShape::of(&component.bytes()?, limits.component_size).and_then(|shape| shape.check());
            // Another thread may have been quicker.
            let _ = self.kept(wanted).or_else(|| checked().err().map(Err)).map(|settled| slot.set(settled));
        }
    }

    /// Whether a component's code is still to be found or made. One that is too large for its policy is neither.
    pub(crate) fn is_open(&self, slot: &Slot, wanted: Wanted<'_>) -> bool {
        let Wanted { component, limits, .. } = wanted;
        let Some(size) = component.size() else { return false };
        slot.get().is_none() && shape::check_size(size, limits.component_size).is_ok()
    }

    /// Returns a component's code: from its slot, from the store, or newly compiled.
    ///
    /// # Errors
    /// A [`FaultKind::Load`] when there is none.
    pub(crate) fn code(&self, slot: &Slot, wanted: Wanted<'_>, deadline: Deadline) -> Result<Arc<Code>, Fault> {
        let Wanted { component, limits, .. } = wanted;
        let Some(size) = component.size() else { return self.embedded(component) };
        // Checked by this policy's own limit, also when another policy has loaded the component.
        shape::check_size(size, limits.component_size)?;
        slot.get_or_init(|| {
            self.kept(wanted).unwrap_or_else(|| {
                let bytes = component.bytes()?;
                let shape = ComponentShape::of(&bytes, limits.component_size)?;
                shape.check()?;
                self.compile(component.digest(), &bytes, deadline, shape.globals).map(Arc::new)
            })
        })
        .clone()
    }

    /// Looks for a component's code in the store.
    fn kept(&self, wanted: Wanted<'_>) -> Option<Result<Arc<Code>, Fault>> {
        let Kept { code, notes } = self.store.as_ref()?.find(wanted.component.digest(), wanted.layer)?;
        let notes = Notes::read(&notes)?;
        let Some(code) = code else { return notes.refusal().map(Err) };
        let known = Known { notes, ..Known::default() };
        match deserialize(&self.sites, &code, known) {
            Ok(code) => Some(Ok(Arc::new(code))),
            Err(fault) => {
                let (digest, why) = (wanted.component.digest(), fault.message);
                tracing::info!(%digest, %why, "the compiled code does not load, and is made again");
                None
            }
        }
    }

    fn compile(&self, digest: Digest, bytes: &Arc<Vec<u8>>, deadline: Deadline, globals: usize) -> Result<Code, Fault> {
        let compiled = compile::on_a_thread(&self.threads, &self.compiler, digest, bytes, deadline);
        match compiled {
            Ok(code) => {
                let notes = Notes::of_globals(globals);
                let known = Known { notes, unsaved: Some(code.clone()), changed: true };
                deserialize(&self.sites, &code, known)
            }
            Err(NotCompiled::Never(fault)) => {
                let notes = Notes::refused(&fault).text();
                if let (Some(store), Some(notes)) = (&self.store, notes) {
                    store.keep(digest, &Kept { code: None, notes: notes.into() });
                }
                Err(fault)
            }
            Err(NotCompiled::NotNow(fault)) => Err(fault),
        }
    }

    /// Keeps what is known of a component, if there is something new and a store for it.
    pub(crate) fn keep(&self, digest: Digest, layer: LayerName, code: &Code) {
        let Some(store) = &self.store else { return };
        let mut known = code.known();
        if code.built_in.is_some() || (known.unsaved.is_none() && !known.changed) {
            return;
        }
        let bytes = known.unsaved.take().or_else(|| store.find(digest, layer).and_then(|kept| kept.code));
        if let (Some(bytes), Some(notes)) = (bytes, known.notes.text()) {
            store.keep(digest, &Kept { code: Some(bytes), notes: notes.into() });
        }
        known.changed = false;
    }

    /// Returns the code of a component inside this crate; it is loaded once for all policies.
    fn embedded(&self, component: &Component) -> Result<Arc<Code>, Fault> {
        match component.code() {
            CodeSource::BuiltIn(policy) => self.embedded.load(&self.sites, *policy),
            CodeSource::Bytes(_) | CodeSource::Elsewhere { .. } => {
                Err(Fault::new(FaultKind::Load, "it is not part of the program"))
            }
        }
    }
}

/// Loads code for each site of a host.
///
/// # Errors
/// [`FaultKind::Load`]; what does not fit into the pool is none.
pub(crate) fn deserialize(sites: &Sites, code: &MachineCode, known: Known) -> Result<Code, Fault> {
    let pooled = sites.pool.as_ref().and_then(|pool| {
        let copied = copy(&pool.engine, code);
        copied.inspect_err(|error| tracing::debug!(%error, "it does not fit into the pool")).ok()
    });
    if let Some(image) = code.image().filter(|_| pages::RUN_IN_PLACE) {
        match in_place(&sites.own.engine, image) {
            Ok(component) => return Ok(Code::new(component, Some(Arc::clone(image)), known).with_pooled(pooled)),
            // Where files can't be executed (a file system mounted noexec), their copies can.
            Err(error) => tracing::debug!(%error, "the code can't be run where it lies, and is copied"),
        }
    }
    copy(&sites.own.engine, code).map(|component| Code::new(component, None, known).with_pooled(pooled)).map_err(
        |error| match room::is_systems(&error) {
            true => room::fault(FaultKind::Load, "the policy's code", error.root_cause()),
            false => Fault::new(FaultKind::Load, format!("its compiled code does not load: {error}")),
        },
    )
}

/// Loads code that runs where it lies.
#[expect(unsafe_code, reason = "loading compiled code is only sound for our own, and here and below are the places")]
fn in_place(engine: &Engine, image: &Arc<dyn CodeImage>) -> wasmtime::Result<component::Component> {
    // SAFETY: every `MachineCode` is made by `compile` in this process, by our build script as part of this binary, or by
    // a caller who vouches for it (`MachineCode::from_image`). `Code` and `Linked` keep the image longer than the
    // component.
    unsafe { component::Component::deserialize_raw(engine, NonNull::from(image.bytes())) }
}

/// Loads a copy of the code.
#[expect(unsafe_code, reason = "as above")]
fn copy(engine: &Engine, code: &MachineCode) -> wasmtime::Result<component::Component> {
    // SAFETY: as above.
    unsafe { component::Component::deserialize(engine, code.as_bytes()) }
}

/// Checks that the globals of a component leave memory for anything else.
fn check_globals(taken: usize, limits: &PolicyLimits) -> Result<(), Fault> {
    if taken <= limits.memory {
        return Ok(());
    }
    let message = format!("its globals take {taken} bytes of memory, and it may have {}", limits.memory);
    Err(Fault::new(FaultKind::Memory, message)
        .remedy(format!("build it with fewer globals, or compute with less{}", limits.more("memory"))))
}

/// Checks the number of memories and tables of all parts of a component together, before they are made: the runtime
/// would refuse too many as well, but not say how many there are.
fn check_counts(component: &component::Component, limits: &PolicyLimits) -> Result<(), Fault> {
    // Only a component that imports modules has no such sum, and `shape` refuses those.
    let Some(needed) = component.resources_required() else { return Ok(()) };
    let counts = [
        (needed.num_memories, limits.memories, "linear memories", "memories"),
        (needed.num_tables, limits::TABLES, "tables", "tables"),
    ];
    for (found, most, what, key) in counts {
        if usize::try_from(found).map_or(true, |found| found > most) {
            let more = limits.more(key);
            let message = format!("it has {found} {what} in all its parts, and a policy may have {most}");
            return Err(Fault::new(FaultKind::Limit, message).remedy(format!(
                "build it of fewer parts: one module is enough for a policy (docs/policy-authors.md says which tools \
                 fit){more}"
            )));
        }
    }
    Ok(())
}
