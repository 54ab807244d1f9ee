//! Converts between the generated types and the model.
//!
//! The way out to the guest can't fail. On the way in every rule of `wit/policy.wit` is checked, and text is made
//! harmless.

use crate::contract::Description;
use crate::contract::SettingsSchema;
use crate::contract::v0_1::bindings::exports::smcp::policy::evaluator as wit;
use smcp_model::facts::CertLevel;
use smcp_model::facts::Facts;
use smcp_model::facts::Origin;
use smcp_model::facts::Score;
use smcp_model::facts::SeverityCounts;
use smcp_model::limits;
use smcp_model::manifest::Entrypoint;
use smcp_model::manifest::Permissions;
use smcp_model::mode::OnWarn;
use smcp_model::name::FindingCode;
use smcp_model::name::NameError;
use smcp_model::name::PolicyName;
use smcp_model::request::Context;
use smcp_model::request::Request;
use smcp_model::request::Subject;
use smcp_model::text::SafeText;
use smcp_model::text::has_something_to_see;
use smcp_model::unambiguous;
use smcp_model::verdict::Fault;
use smcp_model::verdict::FaultKind;
use smcp_model::verdict::Finding;
use smcp_model::verdict::SettingsProblem;
use smcp_model::verdict::Verdict;

/// Converts a request. Every type is destructured in full, so that a new fact can't be forgotten.
pub(crate) fn request(request: &Request) -> wit::Request {
    let Request { subject: about, context: circumstances, extensions } = request;
    wit::Request { subject: subject(about), context: context(circumstances), extensions: extensions.clone() }
}

fn subject(subject: &Subject) -> wit::Subject {
    let Subject {
        org,
        name,
        version,
        registry,
        facts,
        manifest_digest,
        bundle_digest,
        transport,
        entrypoint,
        permissions,
        manifest,
        // Told as an extension.
        confinement: _,
    } = subject;
    let Facts {
        status,
        origin,
        cert_level,
        score,
        security_score,
        supply_chain_score,
        maturity_score,
        findings,
        git_sha,
        // Doubts are for people; the doubtful facts themselves are unknown.
        doubts: _,
    } = facts;
    wit::Subject {
        org: org.clone(),
        name: name.clone(),
        version: version.clone(),
        registry: registry.as_ref().map(ToString::to_string),
        status: status.as_ref().map(|status| status.as_str().to_owned()),
        origin: origin.as_ref().map(word),
        cert_level: cert_level.map(CertLevel::get),
        score: score.map(Score::get),
        security_score: security_score.map(Score::get),
        supply_chain_score: supply_chain_score.map(Score::get),
        maturity_score: maturity_score.map(Score::get),
        findings: findings.map(counts),
        manifest_digest: manifest_digest.as_ref().map(ToString::to_string),
        bundle_digest: bundle_digest.as_ref().map(ToString::to_string),
        git_sha: git_sha.as_ref().map(|sha| sha.as_str().to_owned()),
        transport: transport.map(|transport| transport.as_str().to_owned()),
        entrypoint: entrypoint.as_ref().map(start),
        permissions: permissions.as_ref().map(asked),
        manifest: manifest.clone(),
    }
}

fn counts(counts: SeverityCounts) -> wit::SeverityCounts {
    let SeverityCounts { critical, high, medium, low } = counts;
    wit::SeverityCounts { critical, high, medium, low }
}

fn start(entrypoint: &Entrypoint) -> wit::Entrypoint {
    // The interface has no field for variables and working directory.
    let Entrypoint { command, args, env: _, workdir: _ } = entrypoint;
    wit::Entrypoint { command: command.clone(), args: args.clone() }
}

fn asked(permissions: &Permissions) -> wit::Permissions {
    let Permissions { network, filesystem_read, filesystem_write, environment, subprocess } = permissions.clone();
    wit::Permissions { network, filesystem_read, filesystem_write, environment, subprocess }
}

fn word(origin: &Origin) -> wit::Origin {
    match origin {
        Origin::Official => wit::Origin::Official,
        Origin::Verified => wit::Origin::Verified,
        Origin::Community => wit::Origin::Community,
        Origin::Other(word) => wit::Origin::Other(word.clone()),
    }
}

fn context(context: &Context) -> wit::Context {
    let Context { evaluated_at, trust, interactive } = *context;
    wit::Context { evaluated_at, trust, interactive, tool_version: env!("CARGO_PKG_VERSION").to_owned() }
}

/// Reads a verdict.
///
/// # Errors
/// [`FaultKind::Output`] when it is larger than it may be, or a finding breaks a rule of the interface.
pub(super) fn verdict(verdict: wit::Verdict) -> Result<Verdict, Fault> {
    let count = verdict.violations.len().saturating_add(verdict.notices.len());
    if count > limits::FINDINGS {
        return Err(output(format!("it returned {count} findings, and a verdict may have {}", limits::FINDINGS)));
    }
    let all = verdict.violations.iter().chain(&verdict.notices);
    let extensions = all.fold(0_usize, |sum, finding| sum.saturating_add(finding.extensions.len()));
    if extensions > limits::EXTENSIONS {
        let most = limits::EXTENSIONS;
        return Err(output(format!(
            "its findings have {extensions} extensions together, and a verdict may have {most}"
        )));
    }
    let mut room = Room { left: limits::VERDICT };
    let mut findings = |list: Vec<wit::Finding>| -> Result<Vec<Finding>, Fault> {
        list.into_iter().map(|item| finding(item, &mut room)).collect()
    };
    Ok(Verdict { violations: findings(verdict.violations)?, notices: findings(verdict.notices)? })
}

/// The bytes that are left of one answer's limit.
struct Room {
    left: usize,
}

impl Room {
    fn take(&mut self, text: &str, what: &str) -> Result<SafeText, Fault> {
        if text.len() > limits::MESSAGE {
            return Err(output(format!("a {what} has {} bytes, and one may have {}", text.len(), limits::MESSAGE)));
        }
        self.charge(text.len())?;
        Ok(SafeText::new(text))
    }

    fn charge(&mut self, bytes: usize) -> Result<(), Fault> {
        self.left = self.left.checked_sub(bytes).ok_or_else(|| {
            output(format!("its texts have more than {} bytes together, the most a verdict may have", limits::VERDICT))
        })?;
        Ok(())
    }
}

fn finding(finding: wit::Finding, room: &mut Room) -> Result<Finding, Fault> {
    room.take(&finding.code, "code")?;
    let code: FindingCode = finding.code.parse().map_err(|error: NameError| output(error.to_string()))?;
    if !has_something_to_see(&finding.message) {
        return Err(output(format!("the finding `{code}` has no message: nothing in it can be seen")));
    }
    let mut extensions = Vec::with_capacity(finding.extensions.len());
    for (name, value) in &finding.extensions {
        room.charge(limits::EXTENSION_COST)?;
        extensions.push((room.take(name, "name of an extension")?, room.take(value, "value of an extension")?));
    }
    Ok(Finding {
        code,
        message: room.take(&finding.message, "message")?,
        fact: finding.fact.map(|fact| room.take(&fact, "fact")).transpose()?,
        // A remedy without a visible character is left out.
        remedy: finding
            .remedy
            .filter(|remedy| has_something_to_see(remedy))
            .map(|remedy| room.take(&remedy, "remedy"))
            .transpose()?,
        extensions,
    })
}

/// Reads a component's description of itself.
///
/// # Errors
/// [`FaultKind::Output`] when it breaks a rule of the interface.
pub(super) fn description(description: wit::Description) -> Result<Description, Fault> {
    let name =
        description.name.parse::<PolicyName>().map_err(|error| output(format!("it describes itself: {error}")))?;
    if description.version.len() > limits::POLICY_VERSION {
        let (found, most) = (description.version.len(), limits::POLICY_VERSION);
        return Err(output(format!("its version has {found} bytes, and one may have {most}")));
    }
    let version = semver::Version::parse(&description.version)
        .map_err(|error| output(format!("its version `{}` is not SemVer: {error}", description.version)))?;
    if !has_something_to_see(&description.summary) || description.summary.len() > limits::MESSAGE {
        return Err(output(format!("its summary must have 1 to {} bytes, and something to see", limits::MESSAGE)));
    }
    unambiguous::check(description.settings_schema.as_bytes())
        .map_err(|error| output(format!("its settings schema is not a JSON Schema: {error}")))?;
    let settings_schema = SettingsSchema::new(description.settings_schema)
        .ok_or_else(|| output("its settings schema is not a JSON Schema"))?;
    Ok(Description {
        name,
        version,
        summary: SafeText::new(&description.summary),
        settings_schema,
        on_warn: match description.on_warn {
            wit::OnWarn::Notify => OnWarn::Notify,
            wit::OnWarn::Confirm => OnWarn::Confirm,
        },
    })
}

/// Reads the answer of `check-settings`; all its problems become one fault.
///
/// # Errors
/// [`FaultKind::Settings`] when there are problems, [`FaultKind::Output`] when the answer contradicts itself.
pub(super) fn settings(answer: Result<(), Vec<wit::SettingsProblem>>) -> Result<(), Fault> {
    let Err(problems) = answer else { return Ok(()) };
    if problems.is_empty() {
        return Err(output("it refuses its settings and names no problem"));
    }
    let mut room = Room { left: limits::VERDICT };
    let mut lines = Vec::with_capacity(problems.len().min(limits::FINDINGS));
    let mut settings = Vec::with_capacity(lines.capacity());
    for problem in problems.iter().take(limits::FINDINGS) {
        let path = if problem.path.is_empty() { "settings" } else { &problem.path };
        let (path, message) = (room.take(path, "path")?, room.take(&problem.message, "message")?);
        if !has_something_to_see(&problem.message) {
            return Err(output(format!("it refuses its settings (`{path}`) without a message")));
        }
        lines.push(format!("{path}: {message}"));
        settings.push(SettingsProblem { path: SafeText::new(&problem.path), message });
    }
    let fault = Fault::new(FaultKind::Settings, lines.join("; "))
        .remedy("mend `settings` in the configuration; `smcp policy inspect FILE` prints their schema");
    Err(Fault { settings, ..fault })
}

fn output(message: impl AsRef<str>) -> Fault {
    Fault::new(FaultKind::Output, message).remedy("report it to the policy's author: it breaks the interface's rules")
}
