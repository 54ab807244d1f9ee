//! The component that `export!` makes of a policy.
//!
//! It reads the settings, calls the policy, and cuts the answer to the bounds of the interface.

use std::marker::PhantomData;
use std::mem;
use std::mem::ManuallyDrop;

use crate::Policy;
use crate::bindings::exports::smcp::policy::evaluator;
use crate::bindings::exports::smcp::policy::evaluator::Guest;
#[cfg(target_arch = "wasm32")]
use crate::json::decimal;
use crate::log;
use crate::request::Request;
use crate::settings;
use crate::settings::SettingsProblem;
use crate::text::MAX_BYTES;
use crate::text::fit;
#[cfg(target_arch = "wasm32")]
use crate::text::joined;
use crate::verdict::Description;
use crate::verdict::Verdict;

/// A policy as a component. `export!` makes it; authors don't use it.
#[derive(Debug)]
pub struct PolicyComponent<P>(PhantomData<P>);

impl<P: Policy> PolicyComponent<P> {
    /// Fails to compile when the settings are anything but an object.
    pub const IS_A_POLICY: () = assert!(P::SHAPE.is_object(), "a policy is a struct with named fields, or none");
}

impl<P: Policy> Guest for PolicyComponent<P> {
    fn describe() -> evaluator::Description {
        report_panics();
        let Description { name, version, summary, on_warn } = P::DESCRIPTION;
        evaluator::Description {
            name: name.to_owned(),
            version: version.to_owned(),
            summary: summary.to_owned(),
            settings_schema: settings::schema::<P>(),
            on_warn,
        }
    }

    fn check_settings(settings: String) -> Result<(), Vec<SettingsProblem>> {
        report_panics();
        match settings::decode::<P>(&settings) {
            // Not freed: that takes code, and the instance ends with this call.
            Ok(policy) => {
                mem::forget(policy);
                Ok(())
            }
            Err(mut problems) => {
                problems.iter_mut().for_each(|problem| fit(&mut problem.message, MAX_BYTES));
                Err(problems)
            }
        }
    }

    fn evaluate(request: Request, settings: String) -> Verdict {
        report_panics();
        let policy = settings::decode::<P>(&settings).unwrap_or_else(|problems| refuse(&problems));
        // As above.
        let (policy, request) = (ManuallyDrop::new(policy), ManuallyDrop::new(request));
        let mut verdict = policy.evaluate(&request);
        for finding in verdict.violations.iter_mut().chain(&mut verdict.notices) {
            fit(&mut finding.message, MAX_BYTES);
            finding.remedy.iter_mut().for_each(|remedy| fit(remedy, MAX_BYTES));
        }
        verdict
    }
}

/// Traps, because `check-settings` refuses these settings: the host broke the contract, and any verdict would be wrong.
#[expect(clippy::panic, reason = "a trap is the interface's way to say that the policy could not do its work")]
fn refuse(problems: &[SettingsProblem]) -> ! {
    for SettingsProblem { path, message } in problems {
        log::error(format!("settings{path}: {message}"));
    }
    panic!("evaluated with settings that don't pass check-settings")
}

/// Logs the text of a panic, because the trap that ends it carries no text.
fn report_panics() {
    #[cfg(target_arch = "wasm32")]
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(|at| (at.file(), decimal(at.line().into()))).unwrap_or_default();
        log::error(joined(&["panicked at ", place.0, ":", &place.1, ": ", panic.payload_as_str().unwrap_or_default()]));
    }));
}
