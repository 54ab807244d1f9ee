//! A peer: the checks in Rego, by the interpreter of regorus or by its virtual machine.

use std::process::ExitCode;
use std::sync::Arc;

use bench_peer::Codes;
use bench_peer::Engine;
use bench_peer::Result;
use bench_peer::execute;
use regorus::Value;
use regorus::languages::rego::compiler::Compiler;
use regorus::rvm::Program;
use regorus::rvm::RegoVM;

const RULE: &str = "data.bench.violations";

struct Interpreter(regorus::Engine);

impl Engine for Interpreter {
    type Facts = Value;

    fn read(&self, document: &str) -> Result<Value> {
        Ok(Value::from_json_str(document)?)
    }

    fn decide(&mut self, facts: &Value) -> Result<Codes> {
        self.0.set_input(facts.clone());
        codes(&self.0.eval_rule(RULE.to_owned())?)
    }
}

/// A new machine for each decision, on one program.
struct Machine(Arc<Program>);

impl Engine for Machine {
    type Facts = Value;

    fn read(&self, document: &str) -> Result<Value> {
        Ok(Value::from_json_str(document)?)
    }

    fn decide(&mut self, facts: &Value) -> Result<Codes> {
        let mut machine = RegoVM::new();
        machine.load_program(Arc::clone(&self.0));
        machine.set_input(facts.clone());
        codes(&machine.execute()?)
    }
}

fn codes(found: &Value) -> Result<Codes> {
    let found = found.as_set().map_err(|_| "the rule is no set")?;
    found.iter().map(|code| Ok(code.as_string()?.to_string().into())).collect()
}

/// The arguments are the file of the policy, `interpreter` or `machine`, and what every peer takes.
fn main() -> Result<ExitCode> {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    let [policy, variant, arguments @ ..] = &arguments[..] else { return Err("arguments are missing".into()) };
    let mut engine = regorus::Engine::new();
    engine.add_policy_from_file(policy)?;
    let allowed = if variant == "machine" {
        let compiled = engine.compile_with_entrypoint(&RULE.into())?;
        execute(Machine(Compiler::compile_from_policy(&compiled, &[RULE])?), arguments)?
    } else {
        execute(Interpreter(engine), arguments)?
    };
    Ok(ExitCode::from(if allowed { 0 } else { 4 }))
}
