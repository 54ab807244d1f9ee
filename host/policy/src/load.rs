//! From a component's bytes to something that can be called.

use std::sync::PoisonError;
use std::time::Duration;

use wasmtime::component::Component;
use wasmtime::component::InstancePre;

use crate::PolicyHost;
use crate::bindings::PolicyIndices;
use crate::builtin;
use crate::call::Allowance;
use crate::call::Callee;
use crate::compile;
use crate::convert;
use crate::room;
use crate::shape;
use crate::shape::Shape;
use crate::store::Guest;
use smcp_model::digest::Digest;
use smcp_model::limits;
use smcp_model::limits::PolicyLimits;
use smcp_model::mode::OnWarn;
use smcp_model::name::PolicyName;
use smcp_model::policy::BuiltIn;
use smcp_model::text::SafeText;
use smcp_model::verdict::Fault;
use smcp_model::verdict::FaultKind;

/// Where a component's bytes are.
#[derive(Debug, Clone)]
pub enum Source {
    /// Inside the binary, compiled.
    BuiltIn(BuiltIn),
    /// Read from a file, once: what is hashed here is what is loaded.
    Bytes(Vec<u8>),
    /// The file could not be read.
    Unreadable(Unreadable),
}

/// Why there are no bytes of a component.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unreadable {
    /// Its policy is disabled, so nobody looked.
    Disabled,
    /// It is longer than `limit` bytes, the most that is read.
    TooLarge {
        /// The most, bytes.
        limit: usize,
        /// How long it is, bytes, when that could be asked.
        size: Option<u64>,
    },
    /// It is a directory, a device or a pipe; its path.
    NotAFile(String),
    /// The system refused; its path and the reason.
    Failed(String),
}

/// What a component says of itself.
#[derive(Debug, Clone)]
pub struct Description {
    /// Its own name.
    pub name: PolicyName,
    /// Its own version.
    pub version: semver::Version,
    /// One sentence.
    pub summary: SafeText,
    /// JSON Schema of its settings.
    pub settings_schema: serde_json::Value,
    /// What a violation under `warn` leads to, unless the configuration says otherwise.
    pub on_warn: OnWarn,
}

/// A component that is compiled, linked and described.
#[derive(Debug)]
pub struct Loaded {
    /// What it says of itself.
    pub description: Description,
    pub(super) callee: Callee,
    /// How long it took to say that.
    pub(super) describing: Duration,
}

impl Source {
    /// The digest of the component's bytes, when there are any.
    pub fn digest(&self) -> Option<Digest> {
        match self {
            Self::BuiltIn(policy) => builtin::embedded(*policy).digest.parse().ok(),
            Self::Bytes(bytes) => Some(Digest::of(bytes)),
            Self::Unreadable(_) => None,
        }
    }
}

impl Source {
    /// How the component differs from the one that is pinned; a file that is there but can't be that one differs,
    /// too. One that can't be read at all is a fault of its policy, in the policy's mode (spec section 1).
    pub fn differs_from(&self, pin: Digest) -> Option<String> {
        match self {
            Self::BuiltIn(_) | Self::Bytes(_) => {
                let found = self.digest().filter(|digest| *digest != pin)?;
                Some(format!("has the digest {found}"))
            }
            Self::Unreadable(Unreadable::TooLarge { limit, .. }) => Some(format!("has more than {limit} bytes")),
            Self::Unreadable(Unreadable::NotAFile(_)) => Some("is not a regular file".to_owned()),
            Self::Unreadable(Unreadable::Disabled | Unreadable::Failed(_)) => None,
        }
    }
}

impl Unreadable {
    /// The fault of a policy whose component could not be read.
    pub fn fault(self) -> Fault {
        let fault = |message: String, remedy: &str| Fault::new(FaultKind::Load, message).remedy(remedy);
        match self {
            Self::Disabled => fault("it was not read: its policy is disabled".to_owned(), "enable the policy"),
            Self::TooLarge { limit, size } => shape::too_large(size, limit),
            Self::NotAFile(path) => fault(
                format!("it can't be read: {path}: it is not a regular file"),
                "name the component's file itself as `source` in the configuration",
            ),
            Self::Failed(why) => fault(
                format!("it can't be read: {why}"),
                "check `source` in the configuration: a relative path starts at the file that names it",
            ),
        }
    }
}

impl PolicyHost {
    /// Looks at a component and checks what it imports and exports, without compiling it.
    ///
    /// # Errors
    /// [`FaultKind::Load`] or [`FaultKind::Interface`].
    pub fn shape(bytes: &[u8], limits: &PolicyLimits) -> Result<Shape, Fault> {
        shape::read(bytes, limits.component_size)
    }

    /// Makes a component ready to be called, and asks it who it is.
    ///
    /// # Errors
    /// Any kind of fault: loading calls `describe`, and a component can break there as anywhere.
    pub fn load(&self, source: Source, limits: &PolicyLimits) -> Result<Loaded, Fault> {
        let callee = self.link(&self.component(source, limits)?)?;
        let allowance = Allowance { limits, spent: Duration::ZERO, output: limits::DESCRIBE_OUTPUT };
        let described =
            self.call(&callee, allowance, |policy, store| policy.smcp_policy_evaluator().call_describe(store))?;
        Ok(Loaded { description: convert::description(described.value)?, callee, describing: described.duration })
    }

    /// Asks a loaded component whether it accepts `settings`; says how long it took to answer.
    ///
    /// # Errors
    /// [`FaultKind::Settings`] with all the problems, or any other kind when it breaks.
    pub fn check_settings(&self, loaded: &Loaded, limits: &PolicyLimits, settings: &str) -> Result<Duration, Fault> {
        let settings = settings.to_owned();
        let allowance = Allowance { limits, spent: loaded.describing, output: limits::DESCRIBE_OUTPUT };
        let answer = self.call(&loaded.callee, allowance, move |policy, store| {
            policy.smcp_policy_evaluator().call_check_settings(store, &settings)
        })?;
        convert::settings(answer.value)?;
        Ok(answer.duration)
    }

    fn component(&self, source: Source, limits: &PolicyLimits) -> Result<Component, Fault> {
        match source {
            Source::BuiltIn(policy) => self.deserialize(builtin::embedded(policy).code),
            Source::Unreadable(why) => Err(why.fault()),
            Source::Bytes(bytes) => {
                shape::read(&bytes, limits.component_size)?.check()?;
                self.compiled(bytes)
            }
        }
    }

    /// Compiles a component, once for all the policies that name the same bytes.
    fn compiled(&self, bytes: Vec<u8>) -> Result<Component, Fault> {
        let digest = Digest::of(&bytes);
        let known = || self.compiled.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(component) = known().get(&digest) {
            return Ok(component.clone());
        }
        let component = self.deserialize(&compile::compile(&self.threads, bytes)?)?;
        known().insert(digest, component.clone());
        Ok(component)
    }

    #[expect(unsafe_code, reason = "loading compiled code is only sound for our own, and this is the one place")]
    fn deserialize(&self, code: &[u8]) -> Result<Component, Fault> {
        // SAFETY: `code` was made by `compile`, in this process, or by our build script and is part of this binary;
        // compiled code is never taken from outside.
        unsafe { Component::deserialize(&self.engine, code) }.map_err(|error| match room::is_systems(&error) {
            true => room::fault(FaultKind::Load, "the policy's code", error.root_cause()),
            false => Fault::new(FaultKind::Load, format!("its compiled code does not load: {error}")),
        })
    }

    fn link(&self, component: &Component) -> Result<Callee, Fault> {
        let wrong = |error: wasmtime::Error| {
            Fault::new(FaultKind::Interface, format!("its interface is not that of smcp:policy@0.1.0: {error:#}"))
                .remedy("build it against the wit/policy.wit of this version")
        };
        countable(component)?;
        let instance: InstancePre<Guest> = self.linker.instantiate_pre(component).map_err(wrong)?;
        let indices = PolicyIndices::new(&instance).map_err(wrong)?;
        Ok(Callee { instance, indices })
    }
}

/// Counts what all parts of a component have together, before any of it is made: the runtime would refuse it, too, and
/// not say how much there is.
fn countable(component: &Component) -> Result<(), Fault> {
    // One that gets its modules from outside has no such sum; `shape` lets none through that imports a module.
    let Some(needed) = component.resources_required() else { return Ok(()) };
    let counts =
        [(needed.num_memories, limits::MEMORIES, "linear memories"), (needed.num_tables, limits::TABLES, "tables")];
    for (found, most, what) in counts {
        if usize::try_from(found).map_or(true, |found| found > most) {
            let message = format!("it has {found} {what} in all its parts, and a policy may have {most}");
            return Err(Fault::new(FaultKind::Limit, message).remedy(
                "build it as one module; tools that stub WASI out with modules of its own make several \
                 (docs/policy-authors.md says which tools fit)",
            ));
        }
    }
    Ok(())
}
