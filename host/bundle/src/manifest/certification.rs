//! Reads the `certification` block of a manifest into facts.
//!
//! Only the manifest has them, except for the level: the resolve document has it too, and both must agree.

use serde_json::Map;
use serde_json::Value;

use smcp_model::facts::CertLevel;
use smcp_model::facts::FactReading;
use smcp_model::facts::Facts;
use smcp_model::facts::Score;
use smcp_model::facts::SeverityCounts;
use smcp_model::text::SafeText;

const SCORE: &str = "an integer from 0 to 100";
const LEVEL: &str = "an integer from 0 to 3";

/// Adds a manifest's `certification` block to the facts of the resolve document. A value that is out of range, of the
/// wrong type or contradictory becomes unknown, with a doubt; nothing is clamped. Without a block there is no score.
pub fn believe(block: Option<&Value>, mut facts: Facts) -> Facts {
    let block = match block {
        None | Some(Value::Null) => return facts,
        Some(Value::Object(block)) => block,
        Some(Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_)) => {
            facts.cert_level = None;
            facts
                .doubts
                .push(SafeText::new("`certification` in the manifest is not an object; all it says is unknown"));
            return facts;
        }
    };
    facts.cert_level = level(block.get("level"), facts.cert_level, &mut facts.doubts);
    let score = |key: &str, name: &str, doubts: &mut Vec<SafeText>| {
        FactReading::integer(block.get(key), Score::new).settle(name, SCORE, doubts)
    };
    facts.score = score("score", "score", &mut facts.doubts);
    facts.security_score = score("security_score", "security score", &mut facts.doubts);
    facts.supply_chain_score = score("supply_chain_score", "supply chain score", &mut facts.doubts);
    facts.maturity_score = score("maturity_score", "maturity score", &mut facts.doubts);
    facts.findings = match findings(block.get("findings")) {
        Ok(counts) => counts,
        Err(problem) => {
            facts.doubts.push(SafeText::new(&format!("findings: {problem}; they count as unknown")));
            None
        }
    };
    facts
}

/// Returns the level that both documents agree on. Only the resolve document can give one; the manifest can only
/// contradict it.
fn level(value: Option<&Value>, resolved: Option<CertLevel>, doubts: &mut Vec<SafeText>) -> Option<CertLevel> {
    match (FactReading::integer(value, CertLevel::new), resolved) {
        (FactReading::Absent, resolved) => resolved,
        (FactReading::Known(stated), Some(resolved)) if stated == resolved => Some(resolved),
        (FactReading::Known(stated), Some(resolved)) => {
            doubts.push(SafeText::new(&format!(
                "certification level is {} in the registry's answer and {} in the manifest; it counts as unknown",
                resolved.get(),
                stated.get()
            )));
            None
        }
        (FactReading::Known(stated), None) => {
            doubts.push(SafeText::new(&format!(
                "certification level {} stands in the manifest only, not in the registry's answer; it counts as unknown",
                stated.get()
            )));
            None
        }
        (doubtful @ FactReading::Doubtful(_), _) => doubtful.settle("certification level", LEVEL, doubts),
    }
}

/// Reads the counts, which must add up. A severity that is left out is zero only if the total confirms it.
fn findings(value: Option<&Value>) -> Result<Option<SeverityCounts>, String> {
    let block = match value {
        None | Some(Value::Null) => return Ok(None),
        Some(Value::Object(block)) => block,
        Some(Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_)) => {
            return Err("not an object".to_owned());
        }
    };
    let [critical, high, medium, low] = ["critical", "high", "medium", "low"].map(|severity| count(block, severity));
    let total = count(block, "total")?;
    let parts = [critical?, high?, medium?, low?];
    let sum: u64 = parts.iter().flatten().map(|part| u64::from(*part)).sum();
    if total.is_some_and(|total| u64::from(total) != sum) {
        return Err(format!("the total is not the sum of the severities, {sum}"));
    }
    if total.is_none() && parts.iter().any(Option::is_none) {
        return Err("a severity is missing, and so is the total".to_owned());
    }
    let [critical, high, medium, low] = parts.map(Option::unwrap_or_default);
    Ok(Some(SeverityCounts { critical, high, medium, low }))
}

fn count(block: &Map<String, Value>, key: &str) -> Result<Option<u32>, String> {
    match FactReading::integer(block.get(key), |number| u32::try_from(number).ok()) {
        FactReading::Absent => Ok(None),
        FactReading::Known(count) => Ok(Some(count)),
        FactReading::Doubtful(found) => Err(format!("`{key}` is `{}`, not a count", SafeText::quoted_value(&found))),
    }
}
