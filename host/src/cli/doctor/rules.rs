//! Reports the rules in plain words, and checks that every policy works.

use smcp_authority as authority;
use smcp_config::Layer;
use smcp_config::rules::Rules;
use smcp_model::diagnosis::Check;
use smcp_model::diagnosis::Health;
use smcp_model::examination::Examined;
use smcp_model::examination::PolicyState;
use smcp_model::facts::CertLevel;
use smcp_model::facts::Score;
use smcp_model::mode::Mode;
use smcp_model::policy::BuiltIn;
use smcp_model::progress::Progress;
use smcp_model::registry::Registry;
use smcp_model::size::ByteSize;
use smcp_pipeline as pipeline;
use smcp_pipeline::Session;

/// Returns the rules of each layer, whether it trusts the registry, and whether every policy works.
pub(super) fn checks(session: &Session, progress: &mut dyn Progress) -> Vec<Check> {
    let config = session.config();
    let of_layer = |layer: &Layer| {
        let registry = config.registry();
        std::iter::once(rules(layer)).chain(distrust(layer, registry)).chain(signed(layer, registry))
    };
    let mut checks: Vec<_> = config.layers().iter().flat_map(of_layer).collect();
    if let Err(error) = pipeline::check_statement_signers(session) {
        checks.push(Check::new("trust", Health::Problem, error.to_string()));
    }
    checks.push(match pipeline::examine_policies(session, progress) {
        Ok(rows) => policies(&rows),
        Err(error) => Check::new("policies", Health::Problem, error.to_string()),
    });
    checks
}

fn rules(layer: &Layer) -> Check {
    let wanted = requirements(layer.rules());
    if wanted.is_empty() {
        return Check::new("policy", Health::Warning, format!("the {} layer restricts nothing", layer.name().as_str()))
            .advice("set `allowed_origins`, `min_cert_level` or `min_score` under `policy` in the configuration");
    }
    let message = format!("the {} layer wants: {}", layer.name().as_str(), wanted.join("; "));
    if refuses_everything(layer.rules()) {
        return Check::new("policy", Health::Problem, message)
            .advice("no package can run: name at least one origin in `allowed_origins`, or leave it out");
    }
    Check::new("policy", Health::Ok, message)
}

/// Warns of a layer that doesn't trust the registry: it sees no facts from there, so what it requires of them is never
/// met. `None` for a layer that trusts the registry.
fn distrust(layer: &Layer, registry: &Registry) -> Option<Check> {
    if layer.trusts(Some(registry)) {
        return None;
    }
    let rules = layer.rules();
    let wants_facts = |which| rules.mode_of(which) == Mode::Strict && requirement(rules, which).is_some();
    let health = if BuiltIn::ALL.into_iter().any(wants_facts) { Health::Problem } else { Health::Warning };
    let message =
        format!("the {} layer does not trust {registry}, and sees no facts from there", layer.name().as_str());
    Some(Check::new("trust", health, message).advice("name the registry in `trusted_registries`, or use one of those"))
}

/// Says whose signed statements a layer goes by; `None` for one that goes by none.
fn signed(layer: &Layer, registry: &Registry) -> Option<Check> {
    let rule = layer.statement_rule(registry)?;
    let (layer, signers) = (layer.name().as_str(), &rule.signed_by);
    let message =
        format!("the {layer} layer goes by statements about packages of {registry} that are signed by {signers}");
    Some(Check::new("trust", Health::Ok, message))
}

/// Whether the rules let no package through, whatever its facts are.
fn refuses_everything(rules: &Rules) -> bool {
    rules.origin_mode.value == Mode::Strict && rules.allowed_origins.value.as_ref().is_some_and(Vec::is_empty)
}

/// Returns what each policy of a layer requires, and how strictly, in the order of evaluation.
fn requirements(rules: &Rules) -> Vec<String> {
    let built_in =
        BuiltIn::ALL.into_iter().filter_map(|which| with_mode(rules.mode_of(which), &requirement(rules, which)?));
    let custom = rules.custom.iter().map(|written| &written.value);
    let custom = custom.filter_map(|spec| with_mode(spec.mode, &format!("custom policy {}", spec.name)));
    built_in.chain(custom).collect()
}

/// Returns what a built-in policy requires; `None` when it lets everything through.
fn requirement(rules: &Rules, which: BuiltIn) -> Option<String> {
    match which {
        BuiltIn::Origin => {
            let origins = rules.allowed_origins.value.as_ref()?;
            let words = origins.join(" or ");
            Some(if origins.is_empty() { "no origin at all".to_owned() } else { format!("origin {words}") })
        }
        BuiltIn::Certification => {
            let level = rules.min_cert_level.value;
            (level > CertLevel::LOWEST).then(|| format!("level {} or higher", level.get()))
        }
        BuiltIn::Score => {
            let score = rules.min_score.value;
            (score > Score::LOWEST).then(|| format!("score {} or higher", score.get()))
        }
    }
}

/// Returns a requirement with what happens to a package that doesn't meet it; `None` for a disabled policy.
fn with_mode(mode: Mode, requirement: &str) -> Option<String> {
    match mode {
        Mode::Disabled => None,
        Mode::Strict => Some(format!("{requirement} (else refused)")),
        Mode::Warn => Some(format!("{requirement} (else warned about)")),
    }
}

/// Checks that the policies load and accept their settings. A strict one that is broken refuses every package.
fn policies(rows: &[Examined]) -> Check {
    let broken: Vec<_> = rows.iter().filter(|row| !row.state.works()).collect();
    let Some(first) = broken.first() else {
        let enabled = rows.iter().filter(|row| row.state == PolicyState::Ready).count();
        return Check::new("policies", Health::Ok, format!("{enabled} of {} are enabled, and load", rows.len()));
    };
    let refuses =
        |row: &&&Examined| row.mode == Mode::Strict || row.state.pin().is_some() || row.state.unsigned().is_some();
    let health = if broken.iter().any(|row| refuses(&row)) { Health::Problem } else { Health::Warning };
    let names: Vec<_> = broken.iter().map(|row| row.name.as_str()).collect();
    let said = first.state.fault().map(|fault| &fault.message).or(first.state.unsigned());
    let why = match (said, first.state.pin(), first.digest) {
        (Some(said), ..) => said.to_string(),
        (None, Some(pin), Some(found)) => format!("its component is {found}, and the configuration pins {pin}"),
        (None, _, _) => "its component is not the one that the configuration pins".to_owned(),
    };
    let check = Check::new("policies", health, format!("{} can't do its work: {why}", names.join(", ")));
    match authority::address_space() {
        None => check.advice("see `smcp config validate`"),
        Some(bytes) => check.advice(format!(
            "this process may have {} of address space (`ulimit -v`): try without that limit, then see `smcp config \
             validate`",
            ByteSize(bytes)
        )),
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use smcp_config as config;
    use smcp_config::Places;

    #[test]
    fn rules_are_said_in_plain_words() {
        for (text, health, words) in [
            ("", Health::Warning, "the user layer restricts nothing"),
            (
                "policy: {allowed_origins: [official, verified], min_cert_level: 2, min_score: 80, score_mode: warn}",
                Health::Ok,
                "the user layer wants: origin official or verified (else refused); level 2 or higher (else refused); \
                 score 80 or higher (else warned about)",
            ),
            ("policy: {allowed_origins: []}", Health::Problem, "the user layer wants: no origin at all (else refused)"),
            (
                "policy: {allowed_origins: [], origin_mode: warn}",
                Health::Ok,
                "the user layer wants: no origin at all (else warned about)",
            ),
            ("policy: {min_score: 80, score_mode: disabled}", Health::Warning, "the user layer restricts nothing"),
            (
                "policy: {custom: [{name: mine, source: mine.wasm}]}",
                Health::Ok,
                "the user layer wants: custom policy mine (else refused)",
            ),
        ] {
            let places = Places { home: None, working_directory: "/".into(), system_folder: "/etc/mcp".into() };
            let config = config::parse(text.as_bytes(), Path::new("config.yaml"), &places).unwrap();
            let check = rules(&config.layers()[0]);
            assert_eq!((check.health, check.message.as_str()), (health, words), "{text}");
        }
    }
}
