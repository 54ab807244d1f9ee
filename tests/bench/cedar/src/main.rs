//! A peer: the checks in Cedar. A check is a policy that forbids; its code is the policy's id.

use std::process::ExitCode;

use bench_peer::Codes;
use bench_peer::Engine;
use bench_peer::Result;
use bench_peer::execute;
use bench_rules::folded;
use cedar_policy::Authorizer;
use cedar_policy::Context;
use cedar_policy::Decision;
use cedar_policy::Entities;
use cedar_policy::EntityUid;
use cedar_policy::PolicySet;
use cedar_policy::Request;
use serde_json::Map;
use serde_json::Value;

struct Cedar {
    authorizer: Authorizer,
    policies: PolicySet,
    entities: Entities,
    principal: EntityUid,
    action: EntityUid,
    resource: EntityUid,
}

impl Engine for Cedar {
    type Facts = Request;

    fn read(&self, document: &str) -> Result<Request> {
        let mut context: Map<String, Value> = serde_json::from_str(document)?;
        context.retain(|_, fact| !fact.is_null());
        if let Some(origin) = context.remove("origin")
            && let Some(origin) = origin.as_str().and_then(folded)
        {
            context.insert("origin".to_owned(), origin.into());
        }
        let context = Context::from_json_value(context.into(), None)?;
        Ok(Request::new(self.principal.clone(), self.action.clone(), self.resource.clone(), context, None)?)
    }

    fn decide(&mut self, facts: &Request) -> Result<Codes> {
        let response = self.authorizer.is_authorized(facts, &self.policies, &self.entities);
        if let Some(error) = response.diagnostics().errors().next() {
            return Err(error.to_string().into());
        }
        if response.decision() == Decision::Allow {
            return Ok(Vec::new());
        }
        let code = |id| self.policies.annotation(id, "id").map(|code| code.to_owned().into());
        response.diagnostics().reason().map(|id| code(id).ok_or_else(|| "a policy has no id".into())).collect()
    }
}

/// The arguments are the file of the policies, and what every peer takes.
fn main() -> Result<ExitCode> {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    let [policies, arguments @ ..] = &arguments[..] else { return Err("arguments are missing".into()) };
    let cedar = Cedar {
        authorizer: Authorizer::new(),
        policies: std::fs::read_to_string(policies)?.parse()?,
        entities: Entities::empty(),
        principal: r#"User::"local""#.parse()?,
        action: r#"Action::"run""#.parse()?,
        resource: r#"Package::"local/facts""#.parse()?,
    };
    Ok(ExitCode::from(if execute(cedar, arguments)? { 0 } else { 4 }))
}
