//! Whether all engines decide the same, on every input, before anything is measured.

use std::collections::BTreeMap;
use std::fs;

use bench_rules::folded;
use serde_json::Map;
use serde_json::Value;
use serde_json::json;

use crate::Result;
use crate::engines::Engine;
use crate::engines::SMCP;
use crate::engines::SMCP_ONE;
use crate::engines::cedar_cli;
use crate::plan::Plan;
use crate::world::Log;
use crate::world::World;

/// Of how many inputs a decision has to occur at least, so that it counts as tried.
const LEAST: usize = 10;
/// Everything that can be violated.
const CODES: [&str; 7] = [
    "origin-unknown",
    "origin-not-allowed",
    "cert-level-unknown",
    "cert-level-below-minimum",
    "cert-score-mismatch",
    "score-unknown",
    "score-below-minimum",
];

/// What was compared.
#[derive(Debug)]
pub(crate) struct Agreed {
    /// The engines that decided all inputs, smcp's library among them.
    pub(crate) engines: usize,
    /// How many inputs whole processes decided: `smcp policy eval`, and Cedar's command line.
    pub(crate) by_processes: usize,
    /// How often what was decided: `allow`, and each code.
    pub(crate) decisions: BTreeMap<String, usize>,
}

/// An error when an engine decides otherwise than smcp's library, or the inputs leave a decision untried.
pub(crate) fn compare(plan: &Plan, world: &World, engines: &[Engine]) -> Result<Agreed> {
    let inputs = world.inputs.display().to_string();
    let decide = |engine: &Engine| -> Result<Vec<String>> {
        let output = engine.call.clone().with(&["all", &inputs]).output(&[0])?;
        Ok(output.lines().map(str::to_owned).collect())
    };
    let smcp = engines.iter().find(|engine| engine.name == SMCP).ok_or("smcp is not there")?;
    let decided = decide(smcp)?;
    let others: Vec<_> = engines.iter().filter(|engine| ![SMCP, SMCP_ONE].contains(&engine.name)).collect();
    for engine in &others {
        same(engine.name, world, &decided, &decide(engine)?)?;
    }
    let step = if plan.quick { 20 } else { 1 };
    let sample: Vec<_> = (0..decided.len()).step_by(step).collect();
    same("`smcp policy eval`", world, &chosen(&decided, &sample), &by_program(world, &sample)?)?;
    if plan.cedar_cli.is_some() {
        same("Cedar's command line", world, &chosen(&decided, &sample), &by_cedar(plan, world, &sample)?)?;
    }
    let decisions = counted(&decided)?;
    Ok(Agreed { engines: others.len() + 1, by_processes: sample.len(), decisions })
}

fn chosen(all: &[String], sample: &[usize]) -> Vec<String> {
    sample.iter().filter_map(|&place| all.get(place).cloned()).collect()
}

fn same(engine: &str, world: &World, expected: &[String], found: &[String]) -> Result<()> {
    if expected.len() != found.len() {
        return Err(format!("{engine} decided on {} inputs of {}", found.len(), expected.len()).into());
    }
    let step = world.documents.len() / expected.len().max(1);
    let differ = expected.iter().zip(found).enumerate().find(|(_, (expected, found))| expected != found);
    match differ {
        None => Ok(()),
        Some((place, (expected, found))) => {
            let input = world.documents.get(place * step).map_or("", String::as_str);
            Err(format!("on {input}\n  smcp decides   {expected}\n  {engine} decides {found}").into())
        }
    }
}

fn by_program(world: &World, sample: &[usize]) -> Result<Vec<String>> {
    let file = world.text("one/facts.json");
    let eval = world.smcp(Log::Memory, 0).with(&["policy", "eval", "--json", "--facts", &file]);
    let mut decided = Vec::new();
    for document in sample.iter().filter_map(|&place| world.documents.get(place)) {
        fs::write(&file, document)?;
        let decision: Value = serde_json::from_str(&eval.output(&[0, 4])?)?;
        let policies = decision.get("policies").and_then(Value::as_array).ok_or("the decision has no policies")?;
        let findings = policies.iter().filter_map(|policy| policy.get("findings")?.as_array()).flatten();
        let violations = findings.filter(|finding| finding.get("kind").is_some_and(|kind| kind == "violation"));
        let codes: Vec<_> = violations.filter_map(|finding| finding.get("code")?.as_str()).collect();
        let is_allowed = decision.get("exit_code").is_some_and(|code| code == 0);
        if is_allowed != codes.is_empty() {
            return Err(format!("the program's decision is not what its policies found: {decision}").into());
        }
        decided.push(line(codes));
    }
    Ok(decided)
}

fn by_cedar(plan: &Plan, world: &World, sample: &[usize]) -> Result<Vec<String>> {
    let file = world.text("one/request.json");
    let authorize = cedar_cli(plan, world, &file).ok_or("it is not there")?;
    let mut decided = Vec::new();
    for document in sample.iter().filter_map(|&place| world.documents.get(place)) {
        fs::write(&file, cedar_request(document)?)?;
        let output = authorize.output(&[0, 2])?;
        let policies = output.lines().filter_map(|line| line.strip_prefix("  ")).map(str::trim);
        let is_allowed = output.lines().any(|line| line == "ALLOW");
        decided.push(if is_allowed { line(Vec::new()) } else { line(policies.collect()) });
    }
    Ok(decided)
}

/// Writes a facts document as a request of Cedar.
pub(crate) fn cedar_request(document: &str) -> Result<String> {
    let mut context: Map<String, Value> = serde_json::from_str(document)?;
    context.retain(|_, fact| !fact.is_null());
    if let Some(origin) = context.remove("origin")
        && let Some(origin) = origin.as_str().and_then(folded)
    {
        context.insert("origin".to_owned(), origin.into());
    }
    let request = json!({
        "principal": r#"User::"local""#,
        "action": r#"Action::"run""#,
        "resource": r#"Package::"local/facts""#,
        "context": context,
    });
    Ok(request.to_string())
}

/// A decision as the peers write it.
fn line(mut codes: Vec<&str>) -> String {
    codes.sort_unstable();
    if codes.is_empty() { "allow".to_owned() } else { format!("deny {}", codes.join(" ")) }
}

fn counted(decided: &[String]) -> Result<BTreeMap<String, usize>> {
    let mut counts = BTreeMap::new();
    for word in decided.iter().flat_map(|line| line.split(' ')).filter(|word| *word != "deny") {
        *counts.entry(word.to_owned()).or_insert(0) += 1;
    }
    for word in CODES.iter().chain(&["allow"]) {
        let count = counts.get(*word).copied().unwrap_or_default();
        if count < LEAST {
            return Err(format!("only {count} inputs try `{word}`").into());
        }
    }
    Ok(counts)
}
