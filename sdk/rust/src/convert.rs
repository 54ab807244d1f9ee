//! Converts the generated types to the SDK's own, and back.
//!
//! Requests and verdicts have a generated type here and nowhere else.

use crate::bindings::exports::smcp::policy::evaluator as wit;
use crate::request::Context;
use crate::request::Entrypoint;
use crate::request::Origin;
use crate::request::Permissions;
use crate::request::Request;
use crate::request::SeverityCounts;
use crate::request::Subject;
use crate::settings::SettingsProblem;
use crate::text::fit;
use crate::verdict::Description;
use crate::verdict::Finding;
use crate::verdict::OnWarn;
use crate::verdict::Verdict;

impl From<wit::Request> for Request {
    fn from(wit::Request { subject, context, extensions }: wit::Request) -> Self {
        Self { subject: subject.into(), context: context.into(), extensions }
    }
}

impl From<wit::Subject> for Subject {
    fn from(subject: wit::Subject) -> Self {
        Self {
            org: subject.org,
            name: subject.name,
            version: subject.version,
            registry: subject.registry,
            status: subject.status,
            origin: subject.origin.map(Origin::from),
            cert_level: subject.cert_level,
            score: subject.score,
            security_score: subject.security_score,
            supply_chain_score: subject.supply_chain_score,
            maturity_score: subject.maturity_score,
            findings: subject.findings.map(SeverityCounts::from),
            manifest_digest: subject.manifest_digest,
            bundle_digest: subject.bundle_digest,
            git_sha: subject.git_sha,
            transport: subject.transport,
            entrypoint: subject.entrypoint.map(Entrypoint::from),
            permissions: subject.permissions.map(Permissions::from),
            manifest: subject.manifest,
        }
    }
}

impl From<wit::Origin> for Origin {
    fn from(origin: wit::Origin) -> Self {
        match origin {
            wit::Origin::Official => Self::Official,
            wit::Origin::Verified => Self::Verified,
            wit::Origin::Community => Self::Community,
            wit::Origin::Other(word) => Self::Other(word),
        }
    }
}

impl From<wit::SeverityCounts> for SeverityCounts {
    fn from(wit::SeverityCounts { critical, high, medium, low }: wit::SeverityCounts) -> Self {
        Self { critical, high, medium, low }
    }
}

impl From<wit::Entrypoint> for Entrypoint {
    fn from(wit::Entrypoint { command, args }: wit::Entrypoint) -> Self {
        Self { command, args }
    }
}

impl From<wit::Permissions> for Permissions {
    fn from(permissions: wit::Permissions) -> Self {
        let wit::Permissions { network, filesystem_read, filesystem_write, environment, subprocess } = permissions;
        Self { network, filesystem_read, filesystem_write, environment, subprocess }
    }
}

impl From<wit::Context> for Context {
    fn from(wit::Context { evaluated_at, trust, interactive, tool_version }: wit::Context) -> Self {
        Self { evaluated_at, trust, interactive, tool_version }
    }
}

impl From<Verdict> for wit::Verdict {
    fn from(Verdict { violations, notices }: Verdict) -> Self {
        let convert = |findings: Vec<Finding>| findings.into_iter().map(wit::Finding::from).collect();
        Self { violations: convert(violations), notices: convert(notices) }
    }
}

impl From<Finding> for wit::Finding {
    fn from(Finding { code, message, fact, remedy, extensions }: Finding) -> Self {
        Self { code, message: fit(message), fact, remedy: remedy.map(fit), extensions }
    }
}

impl From<Description> for wit::Description {
    fn from(Description { name, version, summary, settings_schema, on_warn }: Description) -> Self {
        Self {
            name: name.to_owned(),
            version: version.to_owned(),
            summary: summary.to_owned(),
            settings_schema: settings_schema.to_owned(),
            on_warn: match on_warn {
                OnWarn::Notify => wit::OnWarn::Notify,
                OnWarn::Confirm => wit::OnWarn::Confirm,
            },
        }
    }
}

impl From<SettingsProblem> for wit::SettingsProblem {
    fn from(SettingsProblem { path, message }: SettingsProblem) -> Self {
        Self { path, message: fit(message) }
    }
}
