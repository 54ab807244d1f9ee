//! Starts a package that has a clearance, and waits for the server's end.

use std::ffi::OsString;
use std::time::Duration;

use crate::Audience;
use crate::PipelineError;
use crate::Recorder;
use crate::Session;
#[cfg(target_os = "linux")]
use crate::confinement;
use crate::files;
use smcp_bundle::LeftBehind;
use smcp_bundle::Unpacked;
use smcp_decide::Clearance;
use smcp_decide::Notice;
use smcp_launch as launch;
use smcp_launch::Adoption;
use smcp_launch::Finished;
#[cfg(target_os = "linux")]
use smcp_launch::Observing;
use smcp_launch::Setup;
use smcp_launch::Signals;
use smcp_launch::Streams;
use smcp_launch::ending::GracePeriods;
use smcp_launch::env_file::Assignment;
use smcp_launch::environment::ServerEnvironment;
use smcp_model::deadline::Deadline;
use smcp_model::draft::Draft;
use smcp_model::manifest::Manifest;
use smcp_model::package::PackageRef;
use smcp_model::progress::Progress;
use smcp_model::record::DeniedCalls;
use smcp_model::record::DeniedHost;
use smcp_model::record::EndedBy;
use smcp_model::text::SafeText;
use smcp_model::warning::Delivery;
use smcp_model::warning::Warning;
#[cfg(target_os = "linux")]
use smcp_outbound::Denials;

/// The launch that the user asks for.
#[derive(Debug)]
pub struct LaunchRequest {
    /// Which package.
    pub reference: PackageRef,
    /// How long finding, downloading and starting may take.
    pub timeout: Duration,
    /// Arguments for the server, after those of its manifest.
    pub arguments: Vec<OsString>,
    /// Variables for the server, from a file.
    pub env_file: Vec<Assignment>,
    /// Variables for the server, from the command line.
    pub env: Vec<Assignment>,
    /// Whether what the server uses is noted, and shown at its end.
    pub observe: bool,
}

/// What a start needs and is known before the bundle is unpacked.
pub(super) struct Prepared<'p> {
    /// The variables that the server gets.
    pub(super) environment: ServerEnvironment,
    /// The warning that the model must get.
    pub(super) warning: Option<Warning>,
    /// When the server must have been started.
    pub(super) deadline: Deadline,
    /// Who watches how the bundle is unpacked.
    pub(super) progress: &'p mut dyn Progress,
}

/// What a run leaves, whether or not it came off.
#[derive(Default)]
struct Remains {
    files: Option<Unpacked>,
    #[cfg(target_os = "linux")]
    denials: Denials,
    #[cfg(target_os = "linux")]
    observing: Option<Observing>,
}

impl Remains {
    /// The hosts that the server was refused, and the calls, where it was observed.
    fn denied(&self) -> (Vec<DeniedHost>, Vec<DeniedCalls>) {
        #[cfg(target_os = "linux")]
        {
            let refused = self.observing.iter().flat_map(Observing::refused);
            let calls = refused.map(|(kind, count)| DeniedCalls { kind: SafeText::new(&kind), count });
            (self.denials.counts(), calls.collect())
        }
        #[cfg(not(target_os = "linux"))]
        (Vec::new(), Vec::new())
    }

    /// The permissions that the server could ask for; `None` when it was not observed, or never began.
    fn draft(&self) -> Option<Draft> {
        #[cfg(target_os = "linux")]
        {
            let mut draft = self.observing.as_ref()?.draft(self.denials.entries())?;
            for DeniedHost { host, count } in self.denials.counts() {
                let times = if count == 1 { "once".to_owned() } else { format!("{count} times") };
                draft.remarks.push(format!("it was refused the host {host}, {times}"));
            }
            Some(draft)
        }
        #[cfg(not(target_os = "linux"))]
        None
    }
}

/// Starts the server in the files of its package, waits for its end, and records that end.
pub(super) fn start(
    session: &Session,
    clearance: Clearance,
    request: &LaunchRequest,
    prepared: Prepared<'_>,
    recorder: &mut Recorder,
    audience: &mut dyn Audience,
) -> Result<Finished, PipelineError> {
    let label = clearance.package().label();
    let mut remains = Remains::default();
    let finished = start_in(&mut remains, session, clearance, request, prepared, recorder, audience);
    let left = remains.files.as_ref().map(Unpacked::left);
    left.as_ref().and_then(|left| left_note(&left.lost)).iter().for_each(|notice| audience.notice(notice));
    let count = left.as_ref().map(|left| left.lost.count);
    // Before anything is removed: that takes long when there are many files, and smcp may be killed meanwhile.
    let denied = remains.denied();
    recorder.ended(&label, finished.as_ref(), count, denied).iter().for_each(|notice| audience.warn_always(notice));
    remains.draft().iter().filter(|_| finished.is_ok()).for_each(|draft| audience.observed(&label, draft));
    if let (Some(files), Some(left)) = (remains.files, left) {
        files.clear(&left);
    }
    finished
}

/// Does the same up to the end of the server. Puts into `remains` what the server left.
fn start_in(
    remains: &mut Remains,
    session: &Session,
    clearance: Clearance,
    request: &LaunchRequest,
    prepared: Prepared<'_>,
    recorder: &mut Recorder,
    audience: &mut dyn Audience,
) -> Result<Finished, PipelineError> {
    let Prepared { mut environment, warning, deadline, progress } = prepared;
    for notice in environment.notices() {
        audience.notice(notice);
    }
    for name in environment.withheld() {
        tracing::info!("not passed on: {name}; --env {name} passes it on");
    }
    // Before there is something to clean up, so that no signal ends smcp without a cleanup.
    let signals = Signals::listen().map_err(|cause| PipelineError::System { doing: "watch signals", cause })?;
    let interrupted = || signals.ended().is_some();
    let found = files::files(session, clearance.package(), &deadline, &interrupted, progress, audience);
    let unpacked = match found {
        Err(error) => {
            let delivery = warning.map(|_| Delivery::Undelivered);
            let finished = |ended| Finished { ended, by: EndedBy::Signal, delivery };
            return signals.ended().map(finished).ok_or(error);
        }
        Ok(unpacked) => remains.files.insert(unpacked),
    };
    let root_dir = unpacked.root().try_clone().map_err(|cause| PipelineError::local("open", unpacked.path(), cause))?;
    let input =
        (session.system().stdin)().map_err(|cause| PipelineError::System { doing: "use standard input", cause })?;
    #[cfg(target_os = "linux")]
    let own = confinement::own_folders(session, clearance.package(), &mut environment, request.observe, &deadline);
    #[cfg(target_os = "linux")]
    if request.observe {
        remains.observing = Some(confinement::observing(session));
    }
    let setup = Setup {
        root: unpacked.path().to_path_buf(),
        root_dir,
        extra_args: request.arguments.clone(),
        environment,
        is_program: session.system().is_program,
        read_head: session.system().read_head,
        streams: Streams::inherited(input),
        warning,
        deadline,
        grace_periods: GracePeriods::default(),
        signals,
        #[cfg(target_os = "linux")]
        confining: confinement::confining(
            session,
            &clearance.package().manifest,
            &own,
            &remains.denials,
            remains.observing.as_ref(),
        ),
        adoption: Adoption::begin(),
    };
    let notice = recorder.starting(clearance.package(), request, setup.warning.is_some())?;
    notice.iter().for_each(|notice| audience.warn_always(notice));
    tracing::debug!(directory = %setup.root.display(), "starting");
    let finished = launch::launch(clearance, setup)?;
    tracing::debug!(code = finished.ended.exit_code(), delivery = ?finished.delivery, "ended");
    Ok(finished)
}

/// Returns the notice about files that the server wrote and that are removed; `None` when there are none.
fn left_note(left: &LeftBehind) -> Option<Notice> {
    let names: Vec<String> = left.names.iter().map(|name| format!("`{name}`")).collect();
    let unnamed = left.count.saturating_sub(names.len());
    let more = if unnamed == 0 { String::new() } else { format!(" and {unnamed} more") };
    let (names, it) = (names.join(", "), if left.count == 1 { "it was" } else { "they were" });
    let message = format!(
        "the server wrote {names}{more} beside its program; {it} removed with it: a server keeps its data below HOME"
    );
    (left.count > 0).then(|| Notice { code: "left-behind", message: SafeText::new(&message) })
}

/// The variables that the server gets.
pub(super) fn environment(session: &Session, manifest: &Manifest, request: &LaunchRequest) -> ServerEnvironment {
    #[cfg_attr(not(target_os = "linux"), expect(unused_mut, reason = "only Linux has such networks"))]
    let mut environment =
        ServerEnvironment::compute(&session.system().environment, manifest, &request.env_file, &request.env);
    #[cfg(target_os = "linux")]
    confinement::lead_out(session, manifest, request.observe, &mut environment);
    environment
}
