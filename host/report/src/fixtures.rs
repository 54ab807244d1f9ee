//! Decisions of every kind, for the tests of the renderers.

mod waived;

pub(crate) use waived::partly_waived;

use std::sync::Arc;
use std::time::Duration;

use serde_json::json;

use crate::Purpose;
use crate::Report;
use smcp_decide::Conclusion;
use smcp_decide::Notice;
use smcp_decide::Ruling;
use smcp_model::decision::Consent;
use smcp_model::digest::Digest;
use smcp_model::exit::ExitKind;
use smcp_model::facts::CertLevel;
use smcp_model::facts::Facts;
use smcp_model::facts::Origin;
use smcp_model::facts::Score;
use smcp_model::facts::SeverityCounts;
use smcp_model::facts::Status;
use smcp_model::limits;
use smcp_model::manifest::Entrypoint;
use smcp_model::manifest::Permissions;
use smcp_model::manifest::Transport;
use smcp_model::mode::Mode;
use smcp_model::mode::OnWarn;
use smcp_model::policy::BuiltIn;
use smcp_model::policy::LayerName;
use smcp_model::policy::PolicySpec;
use smcp_model::registry::Registry;
use smcp_model::request::Subject;
use smcp_model::text::SafeText;
use smcp_model::verdict::Evaluated;
use smcp_model::verdict::Fault;
use smcp_model::verdict::FaultKind;
use smcp_model::verdict::Finding;
use smcp_model::verdict::Outcome;
use smcp_model::verdict::Verdict;

/// A decision, and the values that its report borrows.
pub(crate) struct Case {
    pub(crate) name: &'static str,
    subject: Subject,
    ruling: Result<Ruling, (&'static str, &'static str)>,
    notices: Vec<Notice>,
    consent: Option<Consent>,
    purpose: Purpose,
    exit: ExitKind,
}

impl Case {
    fn new(name: &'static str, exit: ExitKind, policies: Vec<Evaluated>) -> Self {
        let mut layers: Vec<_> = policies.iter().map(Evaluated::layer).collect();
        layers.dedup();
        let ruling = Ruling::of(policies).map(|ruling| ruling.believed_by(layers));
        Self {
            name,
            subject: subject(),
            ruling: ruling.map_err(|refusal| (refusal.code(), "no policy")),
            notices: Vec::new(),
            consent: None,
            purpose: Purpose::Launch,
            exit,
        }
    }

    pub(crate) fn report(&self) -> Report<'_> {
        let conclusion = match &self.ruling {
            Ok(ruling) => Conclusion::Ruled(ruling),
            Err((code, message)) if self.exit == ExitKind::Registry => Conclusion::Unavailable { code, message },
            Err((code, message)) => Conclusion::Refused { code, message },
        };
        let Self { subject, notices, consent, purpose, exit, .. } = self;
        let (consent, purpose, exit) = (*consent, *purpose, *exit);
        Report { subject, conclusion, notices, lifts: &[], consent, start: None, brief: false, purpose, exit }
    }
}

/// Returns one decision of every kind, each with the name of its snapshot.
pub(crate) fn cases() -> Vec<Case> {
    let refused =
        |name, exit, code, message| Case { ruling: Err((code, message)), ..Case::new(name, exit, Vec::new()) };
    let asked = |name, exit, consent, purpose| Case { name, exit, consent, purpose, ..ask() };
    let trusted = Some(Consent::Trusted);
    vec![
        all_pass(),
        two_violations(),
        Case { name: "block_trusted", consent: trusted, purpose: Purpose::DryRun, ..two_violations() },
        Case::new("warn", ExitKind::Success, vec![passing("origin"), uncertified(Mode::Warn), passing("score")]),
        ask(),
        asked("ask_trusted", ExitKind::Success, trusted, Purpose::Launch),
        asked("ask_trusted_dry_run", ExitKind::Success, trusted, Purpose::DryRun),
        asked("ask_declined", ExitKind::Refused, Some(Consent::Declined), Purpose::Launch),
        asked("ask_nobody", ExitKind::Refused, Some(Consent::NobodyToAsk), Purpose::Launch),
        asked("ask_check", ExitKind::Refused, None, Purpose::Check),
        fault(),
        waived::waived_and_skipped(),
        partly_waived(),
        Case::new("nothing_enabled", ExitKind::Success, vec![policy("score", Mode::Disabled, Outcome::Skipped)]),
        layers(),
        Case {
            subject: Subject { facts: Facts { status: Some(Status::from_word("revoked")), ..facts() }, ..subject() },
            ..refused(
                "refused_by_status",
                ExitKind::Refused,
                "status",
                "the registry says that this version is `revoked`, and only published or deprecated versions may run",
            )
        },
        Case {
            subject: unknown_subject(),
            ..refused(
                "not_found",
                ExitKind::Registry,
                "version-not-found",
                "there is no version 1.0.0 of acme/tool in /srv/registry\n  it has: 2.0.0, 0.9.0",
            )
        },
        Case {
            subject: unknown_subject(),
            ..Case::new(
                "unknown_facts",
                ExitKind::Refused,
                vec![passing("origin"), unscored(), passing("certification")],
            )
        },
        Case { subject: full_subject(), ..with_notices() },
    ]
}

pub(crate) fn all_pass() -> Case {
    let policies = vec![passing("origin"), passing("certification"), passing("score")];
    Case { purpose: Purpose::DryRun, ..Case::new("all_pass", ExitKind::Success, policies) }
}

/// Returns a pass of a package whose facts are all known.
pub(crate) fn full() -> Case {
    Case { subject: full_subject(), ..all_pass() }
}

/// Returns a pass of a package whose facts are all unknown.
pub(crate) fn unknown() -> Case {
    Case { subject: unknown_subject(), ..all_pass() }
}

pub(crate) fn two_violations() -> Case {
    let origin = violation(
        "origin-not-allowed",
        "origin \"community\" is not allowed by policy (allowed origins: [official verified])",
        "origin",
        "use a package of an allowed origin, or add \"community\" to policy.allowed_origins",
    );
    Case {
        subject: Subject { facts: Facts { origin: Some(Origin::Community), ..facts() }, ..subject() },
        ..Case::new(
            "two_violations",
            ExitKind::Refused,
            vec![policy("origin", Mode::Strict, origin), passing("certification"), low_score(Mode::Strict)],
        )
    }
}

pub(crate) fn ask() -> Case {
    Case::new("ask", ExitKind::Refused, vec![passing("origin"), uncertified(Mode::Warn), low_score(Mode::Warn)])
}

fn fault() -> Case {
    let slow = Fault::new(FaultKind::Deadline, "it ran longer than 500 ms")
        .remedy("raise limits.time of this policy, or ask its author why it needs that long");
    let missing = Fault::new(FaultKind::Load, "/etc/mcp/policies/gone.wasm: no such file");
    let gone = Evaluated {
        digest: None,
        signer: None,
        version: None,
        duration: Duration::ZERO,
        memory: 0,
        ..policy("gone", Mode::Warn, Outcome::Fault(missing))
    };
    Case::new(
        "fault",
        ExitKind::Refused,
        vec![passing("origin"), policy("no-network", Mode::Strict, Outcome::Fault(slow)), gone],
    )
}

fn layers() -> Case {
    let system = |policy| in_layer(policy, LayerName::System);
    let policies =
        vec![system(passing("origin")), system(low_score(Mode::Strict)), passing("origin"), passing("score")];
    Case::new("layers", ExitKind::Refused, policies)
}

fn with_notices() -> Case {
    let notice = finding("score-below-warning", "security score 72 is below the warning threshold 80", "score", None);
    let score = policy("score", Mode::Strict, Outcome::Pass { notices: vec![notice] });
    Case {
        notices: vec![Notice {
            code: "status-deprecated",
            message: "the registry says that this version is deprecated".into(),
        }],
        ..Case::new("notices", ExitKind::Success, vec![passing("origin"), passing("certification"), score])
    }
}

/// Returns long messages of a guest: one of many words, and one of a single long word.
pub(crate) fn long_messages() -> Case {
    let prose = "this package asks for the network hosts api.example.com, cdn.example.com and telemetry.example.com, \
                 of which only the first is in the list of hosts that this organisation allows for servers of this kind";
    let remedy = "ask the package's author to make telemetry optional, or ask the security team for an exception that \
                  names this package and the hosts";
    let word = format!("https://example.com/{}", "a".repeat(150));
    let violations =
        vec![finding("network", prose, "permissions", Some(remedy)), finding("link", &word, "permissions", None)];
    let outcome = Outcome::from_verdict(Verdict { violations, notices: Vec::new() });
    Case::new("long_messages", ExitKind::Refused, vec![passing("origin"), policy("no-network", Mode::Strict, outcome)])
}

/// Returns a custom policy with these objections, under `mode`.
pub(crate) fn objecting(messages: &[String], mode: Mode) -> Case {
    let outcome = Outcome::from_verdict(Verdict { violations: findings(messages), notices: Vec::new() });
    Case::new("objecting", ExitKind::Success, vec![passing("origin"), policy("no-network", mode, outcome)])
}

/// Returns a possible outcome of an allowed launch, of a different kind in each `turn`.
pub(crate) fn objection(messages: &[String], turn: usize) -> Outcome {
    let reason = messages.first().map(|text| SafeText::new(text)).unwrap_or_default();
    match turn % 5 {
        0 => Outcome::from_verdict(Verdict { violations: findings(messages), notices: findings(messages) }),
        1 => Outcome::Fault(Fault { kind: FaultKind::Trap, message: reason, remedy: None, settings: Vec::new() }),
        2 => Outcome::Waived {
            waived: waived::waived(&findings(messages), reason.as_str()),
            notices: findings(messages),
        },
        3 => Outcome::Pass { notices: findings(messages) },
        _ => Outcome::Skipped,
    }
}

/// Returns a policy under `warn`, in a layer that its last digit says, whose contact is `contact`.
pub(crate) fn named(name: &str, outcome: Outcome, contact: &str) -> Evaluated {
    let digit = name.chars().next_back().and_then(|digit| digit.to_digit(10)).unwrap_or_default();
    let layer = LayerName::ALL[digit as usize % LayerName::ALL.len()];
    let policy = policy(name, Mode::Warn, outcome);
    let admin_contact = Some(SafeText::within(contact, limits::ADMIN_CONTACT));
    Evaluated { spec: Arc::new(PolicySpec { layer, admin_contact, ..PolicySpec::clone(&policy.spec) }), ..policy }
}

fn findings(messages: &[String]) -> Vec<Finding> {
    messages.iter().map(|message| finding("said", message, "permissions", None)).collect()
}

/// Returns a subject with hostile text wherever a facts document allows any string.
pub(crate) fn hostile_subject() -> Case {
    let hostile = "\u{1b}[2J\u{202e}\nx\u{9b}\u{1d173}\u{e0041}\u{3164}";
    let subject = Subject {
        org: hostile.into(),
        name: hostile.into(),
        version: hostile.into(),
        registry: Some(Registry::Directory(hostile.into())),
        facts: Facts {
            status: Some(Status::Refused(hostile.into())),
            origin: Some(Origin::Other(hostile.into())),
            ..Facts::default()
        },
        ..Subject::default()
    };
    Case { subject, ..Case::new("hostile", ExitKind::Success, vec![passing("origin")]) }
}

pub(crate) fn unknown_subject() -> Subject {
    Subject { org: "acme".into(), name: "tool".into(), version: "1.0.0".into(), ..Subject::default() }
}

pub(crate) fn full_subject() -> Subject {
    Subject {
        facts: Facts {
            status: Some(Status::Deprecated),
            score: Score::new(72),
            findings: Some(SeverityCounts { critical: 0, high: 2, medium: 0, low: 5 }),
            git_sha: Some("3f1c0de".into()),
            maturity_score: None,
            security_score: Score::new(70),
            supply_chain_score: Score::new(75),
            doubts: vec!["maturity_score `101` is not 0 to 100; it counts as unknown".into()],
            ..facts()
        },
        manifest_digest: Some(Digest::of(b"manifest")),
        transport: Some(Transport::Stdio),
        entrypoint: Some(Entrypoint {
            command: "python3".into(),
            args: vec!["server.py".into(), "--title".into(), "two words".into()],
            ..Entrypoint::default()
        }),
        permissions: Some(Permissions {
            network: vec!["api.example.com".into(), "*.example.org".into()],
            filesystem_read: vec!["/data".into()],
            environment: vec!["API_KEY".into()],
            subprocess: true,
            ..Permissions::default()
        }),
        ..subject()
    }
}

fn subject() -> Subject {
    Subject {
        registry: Some(Registry::default()),
        facts: facts(),
        bundle_digest: Some(Digest::of(b"bundle")),
        ..unknown_subject()
    }
}

fn facts() -> Facts {
    Facts {
        status: Some(Status::Published),
        origin: Some(Origin::Verified),
        cert_level: CertLevel::new(1),
        score: Score::new(60),
        findings: Some(SeverityCounts::default()),
        ..Facts::default()
    }
}

fn policy(name: &str, mode: Mode, outcome: Outcome) -> Evaluated {
    let origin = PolicySpec::built_in(BuiltIn::Origin, json!({}));
    Evaluated {
        spec: Arc::new(PolicySpec { name: name.parse().unwrap(), mode, ..origin }),
        on_warn: if name == "score" { OnWarn::Confirm } else { OnWarn::Notify },
        digest: Some(Digest::of(name.as_bytes())),
        signer: None,
        version: Some("0.1.0".into()),
        outcome,
        duration: Duration::from_micros(84),
        memory: 0x11_0000,
    }
}

fn in_layer(policy: Evaluated, layer: LayerName) -> Evaluated {
    let admin_contact = (layer == LayerName::System).then(|| "#sec-help, security@example.com".into());
    Evaluated { spec: Arc::new(PolicySpec { layer, admin_contact, ..PolicySpec::clone(&policy.spec) }), ..policy }
}

fn passing(name: &str) -> Evaluated {
    policy(name, Mode::Strict, Outcome::Pass { notices: Vec::new() })
}

fn low_score(mode: Mode) -> Evaluated {
    let message = "security score 60 is below minimum required score 80";
    let remedy = "use a version with a better score, or lower policy.min_score";
    policy("score", mode, violation("score-below-minimum", message, "score", remedy))
}

fn unscored() -> Evaluated {
    let message = "security score is unknown, and a minimum score of 80 is required";
    let remedy = "use a version that the registry has scored";
    policy("score", Mode::Strict, violation("score-unknown", message, "score", remedy))
}

fn uncertified(mode: Mode) -> Evaluated {
    let message = "certification level 1 (Static Verified) is below minimum required level 2 (Security Certified)";
    let remedy = "use a version with a higher level, or lower policy.min_cert_level";
    policy("certification", mode, violation("level-below-minimum", message, "cert-level", remedy))
}

fn violation(code: &str, message: &str, fact: &str, remedy: &str) -> Outcome {
    Outcome::from_verdict(Verdict { violations: vec![finding(code, message, fact, Some(remedy))], notices: Vec::new() })
}

fn finding(code: &str, message: &str, fact: &str, remedy: Option<&str>) -> Finding {
    Finding {
        code: code.parse().unwrap(),
        message: message.into(),
        fact: Some(fact.into()),
        remedy: remedy.map(SafeText::new),
        extensions: Vec::new(),
    }
}
