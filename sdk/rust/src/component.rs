//! The component that `export!` makes of a policy: decodes the request, calls, encodes the answer.

use std::marker::PhantomData;

use crate::Policy;
use crate::bindings::exports::smcp::policy::evaluator as wit;
use crate::log;
use crate::request::Request;
use crate::settings;
use crate::settings::SettingsProblem;

/// A policy as a component. `export!` makes it; authors don't use it.
#[derive(Debug)]
pub struct Component<P>(PhantomData<P>);

impl<P: Policy> wit::Guest for Component<P> {
    fn describe() -> wit::Description {
        report_panics();
        P::describe().into()
    }

    fn check_settings(settings: String) -> Result<(), Vec<wit::SettingsProblem>> {
        report_panics();
        match settings::decode::<P::Settings>(&settings) {
            Ok(_) => Ok(()),
            Err(problems) => Err(problems.into_iter().map(wit::SettingsProblem::from).collect()),
        }
    }

    fn evaluate(request: wit::Request, settings: String) -> wit::Verdict {
        report_panics();
        let settings = settings::decode::<P::Settings>(&settings).unwrap_or_else(|problems| refuse(&problems));
        P::evaluate(&Request::from(request), &settings).into()
    }
}

/// The settings were not accepted by `check-settings`, so the host broke the contract, and no verdict is right.
#[expect(clippy::panic, reason = "a trap is the interface's way to say that the policy could not do its work")]
fn refuse(problems: &[SettingsProblem]) -> ! {
    for SettingsProblem { path, message } in problems {
        log::error(format!("settings{path}: {message}"));
    }
    panic!("evaluated with settings that don't pass check-settings")
}

/// The trap that ends a panic carries no text, so the text goes to the log first.
fn report_panics() {
    #[cfg(target_arch = "wasm32")]
    std::panic::set_hook(Box::new(|panic| log::error(panic.to_string())));
}
