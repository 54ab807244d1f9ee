//! One policy before one package: bytes in, outcome out, or a panic.

use std::path::PathBuf;
use std::sync::LazyLock;
use std::sync::mpsc;
use std::time::Duration;

use serde_json::json;

use smcp_model::facts::CertLevel;
use smcp_model::facts::Facts;
use smcp_model::facts::Origin;
use smcp_model::facts::Score;
use smcp_model::limits::PolicyLimits;
use smcp_model::mode::Mode;
use smcp_model::mode::OnWarn;
use smcp_model::policy::LayerName;
use smcp_model::policy::PolicySource;
use smcp_model::policy::PolicySpec;
use smcp_model::request::Context;
use smcp_model::request::Request;
use smcp_model::request::Subject;
use smcp_model::verdict::Evaluated;
use smcp_policy::Bound;
use smcp_policy::Component;
use smcp_policy::PolicyHost;
use smcp_policy::PolicySet;

/// Shared by every trial, as in the program: a policy that breaks must not break the host for the next.
static HOST: LazyLock<PolicyHost> = LazyLock::new(|| PolicyHost::new().unwrap());

/// The same with a pool, whose slots every trial leaves to the next.
static POOLED: LazyLock<PolicyHost> = LazyLock::new(|| HOST.pooled().unwrap());

/// How long a whole trial may take before it counts as hung: far above every deadline and its grace, on a machine
/// that does ten other things.
const HUNG: Duration = Duration::from_secs(120);

/// Limits for a policy that should not meet its deadline, however busy the machine is.
pub(crate) const PATIENT: PolicyLimits = PolicyLimits { time: Duration::from_secs(10), ..PolicyLimits::DEFAULT };

/// Limits for a policy that should meet its deadline soon.
pub(crate) const HASTY: PolicyLimits = PolicyLimits { time: Duration::from_millis(150), ..PolicyLimits::DEFAULT };

/// Evaluates a component in strict mode.
pub(crate) fn judge(component: Vec<u8>, limits: PolicyLimits) -> Evaluated {
    judge_in(Mode::Strict, None, component, limits)
}

/// Evaluates a component in strict mode, this many times, in the slots of a pool.
pub(crate) fn judge_in_pool(component: Vec<u8>, limits: PolicyLimits, times: usize) -> Vec<Evaluated> {
    tried(&POOLED, times, bound(Mode::Strict, None, component, limits))
}

/// Evaluates a component.
pub(crate) fn judge_in(mode: Mode, on_warn: Option<OnWarn>, component: Vec<u8>, limits: PolicyLimits) -> Evaluated {
    tried(&HOST, 1, bound(mode, on_warn, component, limits)).pop().unwrap()
}

fn bound(mode: Mode, on_warn: Option<OnWarn>, component: Vec<u8>, limits: PolicyLimits) -> Bound {
    let spec = PolicySpec {
        name: "guest".parse().unwrap(),
        layer: LayerName::User,
        source: PolicySource::File(PathBuf::from("/policies/guest.wasm")),
        pin: None,
        signed_by: None,
        mode,
        on_warn,
        settings: json!({ "allow": ["api.example.com"] }),
        settings_vouched: false,
        limits,
        admin_contact: None,
    };
    Bound::new(spec, Ok(Component::new(component))).unwrap()
}

fn tried(host: &'static PolicyHost, times: usize, bound: Bound) -> Vec<Evaluated> {
    let (sender, receiver) = mpsc::channel();
    std::thread::spawn(move || {
        let set = PolicySet::load(host, [bound]);
        let evaluated = (0..times).map(|_| set.evaluate(&request()).pop().unwrap()).collect();
        // Nobody waits any more for a trial that hung.
        let _ = sender.send(evaluated);
    });
    receiver.recv_timeout(HUNG).expect("the host hung or panicked")
}

/// A request that has something in most of its fields, so that guests are handed strings and lists.
fn request() -> Request {
    let facts = Facts {
        origin: Some(Origin::Verified),
        cert_level: CertLevel::new(2),
        score: Score::new(85),
        ..Facts::default()
    };
    let subject = Subject {
        org: "acme".to_owned(),
        name: "tool".to_owned(),
        version: "1.0.0".to_owned(),
        facts,
        manifest: Some(r#"{"name":"tool"}"#.to_owned()),
        ..Subject::default()
    };
    Request {
        subject,
        context: Context { evaluated_at: 1_700_000_000, trust: false, interactive: false },
        extensions: Vec::new(),
    }
}
