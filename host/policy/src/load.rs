//! Loads a component: compiles, links and describes it.

use std::time::Duration;

use wasmtime::component;

use crate::builtin;
use crate::call::Allowance;
use crate::compile;
use crate::compile::MachineCode;
use crate::compiled::CompiledCode;
use crate::component::CodeSource;
use crate::component::Component;
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
    /// Its description of itself.
    pub(crate) description: Description,
    /// The linked component, ready to be called.
    pub(crate) contract: Contract,
    /// The time that `describe` took.
    pub(crate) describing: Duration,
    _code: CompiledCode,
}

impl Runtime {
    /// Makes a component ready to be called, and asks for its description.
    ///
    /// # Errors
    /// Any kind of fault: loading calls `describe`, which can fail like any other call.
    pub(crate) fn load(&self, component: &Component, limits: &PolicyLimits) -> Result<Loaded, Fault> {
        let code = self.code(component, limits)?;
        check_counts(&code.component, limits)?;
        let contract = Contract::link(&self.linker, &code.component)?;
        let allowance = Allowance { limits, spent: Duration::ZERO, output: limits::DESCRIBE_OUTPUT };
        let described = contract.describe(self, allowance)?;
        Ok(Loaded { description: described.value, contract, describing: described.duration, _code: code })
    }

    fn code(&self, component: &Component, limits: &PolicyLimits) -> Result<CompiledCode, Fault> {
        match component.code() {
            CodeSource::BuiltIn(policy) => {
                self.deserialize(&MachineCode::embedded(builtin::embedded(*policy))).map(CompiledCode::embedded)
            }
            CodeSource::Bytes(bytes) => {
                Shape::of(bytes, limits.component_size)?.check()?;
                self.compiled.get_or_make(component.digest(), || {
                    self.deserialize(&compile::on_a_thread(&self.threads, &self.compiler, component.digest(), bytes)?)
                })
            }
        }
    }

    #[expect(unsafe_code, reason = "loading compiled code is only sound for our own, and this is the one place")]
    fn deserialize(&self, code: &MachineCode) -> Result<component::Component, Fault> {
        // SAFETY: every `MachineCode` is made by `compile` in this process, by our build script as part of this binary,
        // or by a caller who vouches for it (`MachineCode::from_vouched`).
        unsafe { component::Component::deserialize(&self.engine, code.as_bytes()) }.map_err(|error| {
            match room::is_systems(&error) {
                true => room::fault(FaultKind::Load, "the policy's code", error.root_cause()),
                false => Fault::new(FaultKind::Load, format!("its compiled code does not load: {error}")),
            }
        })
    }
}

/// Checks the number of memories and tables of all parts of a component together, before they are made: the runtime
/// would refuse too many as well, but not say how many there are.
fn check_counts(component: &component::Component, limits: &PolicyLimits) -> Result<(), Fault> {
    // Only a component that imports modules has no such sum, and `shape` refuses those.
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
