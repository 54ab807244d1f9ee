//! A program of your own that asks two built-in policies and one from a file.

#![expect(clippy::print_stdout, reason = "the answer of an example belongs there")]

use std::error::Error;

use serde_json::json;

use smcp_policy::Bound;
use smcp_policy::Component;
use smcp_policy::PolicyHost;
use smcp_policy::PolicySet;
use smcp_policy::decision;
use smcp_policy::model::policy::BuiltIn;
use smcp_policy::model::policy::PolicySpec;
use smcp_policy::model::request::Context;
use smcp_policy::request;

const FACTS: &[u8] = include_bytes!("../facts.json");
const NO_NETWORK: &[u8] = include_bytes!("../../policies/dist/no_network.wasm");

fn main() -> Result<(), Box<dyn Error>> {
    let built_in =
        |policy, settings| Bound::new(PolicySpec::built_in(policy, settings), Ok(Component::built_in(policy)));
    let custom = PolicySpec::file("no-network".parse()?, "no_network.wasm", json!({"allow": ["api.example.com"]}));

    // The pool pays for a program that decides more than a few times.
    let host = PolicyHost::new()?.pooled()?;
    let policies = PolicySet::load(
        &host,
        [
            built_in(BuiltIn::Origin, json!({"allowed_origins": ["official", "verified"]}))?,
            built_in(BuiltIn::Score, json!({"min_score": 80}))?,
            Bound::new(custom, Ok(Component::new(NO_NETWORK.to_vec())))?,
        ],
    );

    let context = Context { evaluated_at: 1_800_000_000, trust: false, interactive: false };
    let evaluated = policies.evaluate(&request::from_document(FACTS, context)?);
    for policy in &evaluated {
        println!("{}: {}", policy.name(), policy.outcome.kind().as_str());
        policy.outcome.findings().for_each(|finding| println!("  {}", finding.message));
    }
    println!("decision: {}", decision(&evaluated).as_str());
    Ok(())
}
