//! What would be decided now about the package that a client is set up for.
//!
//! The answer is only a notice: each launch decides again.

use std::sync::mpsc;
use std::thread;

use smcp_model::deadline::Deadline;
use smcp_model::exit::ExitKind;
use smcp_model::limits;
use smcp_model::mode::Effect;
use smcp_model::package::PackageRef;
use smcp_model::request::Context;
use smcp_pipeline as pipeline;
use smcp_pipeline::Failed;
use smcp_pipeline::Judged;
use smcp_pipeline::Session;
use smcp_report::progress;

/// What would happen if the package were started now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Forecast {
    /// It may run.
    Fine,
    /// It needs consent, which is not given.
    Asked,
    /// It is refused by policies or its status; the text says by which.
    Refused(String),
    /// There is no such package; the text says why.
    Missing(String),
    /// It is not known; the text says why.
    Unknown(String),
}

impl Forecast {
    /// Finds the package and evaluates it, within [`limits::ADVICE`]. Also returns the variables without which its server
    /// does not start.
    pub(super) fn of(session: Session, reference: &PackageRef, trust: bool) -> (Self, Vec<String>) {
        let context = Context { evaluated_at: session.system().now(), trust, interactive: false };
        let reference = reference.clone();
        let (sender, receiver) = mpsc::channel();
        // When a registry or a policy takes longer, the thread goes on alone: the process ends soon.
        thread::spawn(move || {
            // The receiver is gone when it took too long.
            drop(sender.send(Self::find(&session, &reference, context)));
        });
        let late = || Self::Unknown(format!("no answer within {} s", limits::ADVICE.as_secs()));
        receiver.recv_timeout(limits::ADVICE).unwrap_or_else(|_| (late(), Vec::new()))
    }

    fn find(session: &Session, reference: &PackageRef, context: Context) -> (Self, Vec<String>) {
        let deadline = Deadline::after(limits::ADVICE);
        let evaluated =
            pipeline::evaluate_package(session, reference, context, &deadline, &mut *progress::watcher(false));
        match evaluated {
            Ok((ruled, judged)) => {
                let variables = ruled.candidate().manifest.variables.iter();
                let required = variables.filter(|(_, variable)| variable.required && variable.default.is_none());
                (Self::ruled(&judged, context.trust), required.map(|(name, _)| name.clone()).collect())
            }
            Err(failed) => (Self::failed(&failed), Vec::new()),
        }
    }

    fn ruled(judged: &Judged, trust: bool) -> Self {
        match judged.ruling.effect() {
            Effect::Pass | Effect::Warn => Self::Fine,
            Effect::Ask if trust => Self::Fine,
            Effect::Ask => Self::Asked,
            Effect::Block => {
                let policies = judged.ruling.policies().iter();
                let blocking = policies.filter(|policy| policy.effect() == Effect::Block);
                let names: Vec<_> = blocking.map(|policy| policy.name().to_string()).collect();
                Self::Refused(format!("by {}", names.join(", ")))
            }
        }
    }

    fn failed(failed: &Failed) -> Self {
        let message = failed.error.explained();
        let message = message.lines().next().unwrap_or_default().to_owned();
        match (failed.error.exit_kind(), failed.error.code()) {
            (ExitKind::Registry, "package-not-found" | "version-not-found") => Self::Missing(message),
            (ExitKind::Refused | ExitKind::Integrity, _) => Self::Refused(message),
            (ExitKind::Success | ExitKind::Registry | ExitKind::Usage | ExitKind::Timeout | ExitKind::Start, _) => {
                Self::Unknown(message)
            }
        }
    }

    /// Returns the notice for the user; `None` when the package may run.
    pub(super) fn notice(&self, reference: &PackageRef) -> Option<String> {
        Some(match self {
            Self::Fine => return None,
            Self::Asked => format!(
                "{reference} needs consent today, and a client has nobody to ask: it is refused there, unless --trust \
                 gives it"
            ),
            Self::Refused(why) => format!(
                "{reference} is refused today, {why}: the client could not start it; `smcp run --dry-run {reference}` \
                 says more"
            ),
            Self::Missing(why) => format!("{reference} is not there, so the client could not start it: {why}"),
            Self::Unknown(why) => format!("whether {reference} may run is not known now: {why}"),
        })
    }

    /// Whether a later launch could need consent, and the notice does not say so.
    pub(super) const fn may_ask(&self) -> bool {
        match self {
            Self::Fine | Self::Missing(_) | Self::Unknown(_) => true,
            Self::Asked | Self::Refused(_) => false,
        }
    }
}
