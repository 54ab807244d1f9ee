//! What the rules of today say of the package that a client is set up for.
//!
//! Worth a remark, and never an obstacle: a launch decides again.

use std::sync::mpsc;
use std::thread;

use smcp_model::deadline::Deadline;
use smcp_model::exit::ExitKind;
use smcp_model::limits;
use smcp_model::mode::Effect;
use smcp_model::package::PackageRef;
use smcp_model::request::Context;
use smcp_pipeline as pipeline;
use smcp_pipeline::Session;
use smcp_report::progress;

/// How a package stands today.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Standing {
    /// It may run.
    Fine,
    /// It needs consent, and none is given.
    Asked,
    /// Policies, or its status, refuse it; by these.
    Refused(String),
    /// There is none, or it can't be what it should be.
    Missing(String),
    /// Nobody knows, for this reason.
    Unknown(String),
}

impl Standing {
    /// Looks at the registry, or the cache, and asks the policies; for a short time.
    pub(super) fn of(session: Session, reference: &PackageRef, trust: bool) -> Self {
        let context = Context { evaluated_at: session.system().now(), trust, interactive: false };
        let reference = reference.clone();
        let (sender, receiver) = mpsc::channel();
        // A registry or a policy that takes longer is left to itself: the process ends soon.
        thread::spawn(move || {
            // Nobody listens any more when it took too long.
            drop(sender.send(Self::find(&session, &reference, context)));
        });
        let late = || Self::Unknown(format!("no answer within {} s", limits::ADVICE.as_secs()));
        receiver.recv_timeout(limits::ADVICE).unwrap_or_else(|_| late())
    }

    fn find(session: &Session, reference: &PackageRef, context: Context) -> Self {
        let deadline = Deadline::after(limits::ADVICE);
        let evaluated =
            pipeline::evaluate_package(session, reference, context, &deadline, &mut *progress::watcher(false));
        match evaluated.map(|(_, judged)| judged) {
            Ok(judged) => match judged.ruling.effect() {
                Effect::Pass | Effect::Warn => Self::Fine,
                Effect::Ask if context.trust => Self::Fine,
                Effect::Ask => Self::Asked,
                Effect::Block => {
                    let policies = judged.ruling.policies().iter();
                    let blocking = policies.filter(|policy| policy.effect() == Effect::Block);
                    let names: Vec<_> = blocking.map(|policy| policy.name().to_string()).collect();
                    Self::Refused(format!("by {}", names.join(", ")))
                }
            },
            Err(failed) => {
                let message = failed.error.explained();
                let message = message.lines().next().unwrap_or_default().to_owned();
                match (failed.error.exit_kind(), failed.error.code()) {
                    (ExitKind::Registry, "package-not-found" | "version-not-found") => Self::Missing(message),
                    (ExitKind::Refused | ExitKind::Integrity, _) => Self::Refused(message),
                    (
                        ExitKind::Success | ExitKind::Registry | ExitKind::Usage | ExitKind::Timeout | ExitKind::Start,
                        _,
                    ) => Self::Unknown(message),
                }
            }
        }
    }

    /// What to say of it; nothing when all is well.
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

    /// Whether a question could come that nobody has spoken of.
    pub(super) const fn may_ask(&self) -> bool {
        match self {
            Self::Fine | Self::Missing(_) | Self::Unknown(_) => true,
            Self::Asked | Self::Refused(_) => false,
        }
    }
}
