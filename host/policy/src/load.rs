//! From a component's bytes to something that can be called.

use std::time::Duration;

use wasmtime::component;

use crate::builtin;
use crate::call::Allowance;
use crate::compile;
use crate::compile::MachineCode;
use crate::compiled::Code;
use crate::component::Component;
use crate::component::Content;
use crate::contract::Contract;
use crate::contract::Description;
use crate::host::Runtime;
use crate::room;
use crate::shape::Shape;
use smcp_model::limits;
use smcp_model::limits::PolicyLimits;
use smcp_model::verdict::Fault;
use smcp_model::verdict::FaultKind;

/// A component that is compiled, linked and described.
pub(crate) struct Loaded {
    /// What it says of itself.
    pub(crate) description: Description,
    /// How it is called.
    pub(crate) contract: Contract,
    /// How long it took to describe itself.
    pub(crate) describing: Duration,
    _code: Code,
}

impl Runtime {
    /// Makes a component ready to be called, and asks it who it is.
    ///
    /// # Errors
    /// Any kind of fault: loading calls `describe`, and a component can break there as anywhere.
    pub(crate) fn load(&self, component: &Component, limits: &PolicyLimits) -> Result<Loaded, Fault> {
        let code = self.code(component, limits)?;
        countable(&code.component, limits)?;
        let contract = Contract::link(&self.linker, &code.component)?;
        let allowance = Allowance { limits, spent: Duration::ZERO, output: limits::DESCRIBE_OUTPUT };
        let described = contract.describe(self, allowance)?;
        Ok(Loaded { description: described.value, contract, describing: described.duration, _code: code })
    }

    fn code(&self, component: &Component, limits: &PolicyLimits) -> Result<Code, Fault> {
        match component.content() {
            Content::BuiltIn(policy) => {
                self.deserialize(&MachineCode::embedded(builtin::embedded(*policy))).map(Code::embedded)
            }
            Content::Bytes(bytes) => {
                Shape::of(bytes, limits.component_size)?.check()?;
                self.compiled.get_or_make(component.digest(), || {
                    self.deserialize(&compile::on_a_thread(&self.threads, &self.compiler, component.digest(), bytes)?)
                })
            }
        }
    }

    #[expect(unsafe_code, reason = "loading compiled code is only sound for our own, and this is the one place")]
    fn deserialize(&self, code: &MachineCode) -> Result<component::Component, Fault> {
        // SAFETY: a `MachineCode` is made by `compile`, in this process, or by our build script and is part of this
        // binary; compiled code is never taken from outside.
        unsafe { component::Component::deserialize(&self.engine, code.as_bytes()) }.map_err(|error| {
            match room::is_systems(&error) {
                true => room::fault(FaultKind::Load, "the policy's code", error.root_cause()),
                false => Fault::new(FaultKind::Load, format!("its compiled code does not load: {error}")),
            }
        })
    }
}

/// Counts what all parts of a component have together, before any of it is made: the runtime would refuse it, too, and
/// not say how much there is.
fn countable(component: &component::Component, limits: &PolicyLimits) -> Result<(), Fault> {
    // One that gets its modules from outside has no such sum; `shape` lets none through that imports a module.
    let Some(needed) = component.resources_required() else { return Ok(()) };
    let counts = [
        (needed.num_memories, limits.memories, "linear memories", limits.more("memories")),
        (needed.num_tables, limits::TABLES, "tables", String::new()),
    ];
    for (found, most, what, more) in counts {
        if usize::try_from(found).map_or(true, |found| found > most) {
            let message = format!("it has {found} {what} in all its parts, and a policy may have {most}");
            return Err(Fault::new(FaultKind::Limit, message).remedy(format!(
                "build it of fewer parts: one module is enough for a policy (docs/policy-authors.md says which tools \
                 fit){more}"
            )));
        }
    }
    Ok(())
}
