//! What came of cases as a document for programs: `smcp.cases/1`.

use serde_json::Value;
use serde_json::json;

use crate::cases::CaseState;
use crate::cases::CasesReport;
use crate::cases::FileReport;
use smcp_model::text::SafeText;
use smcp_model::verdict::Fault;
use smcp_policy_cases::CaseRun;
use smcp_policy_cases::Difference;
use smcp_policy_cases::Found;
use smcp_policy_cases::FoundFinding;

/// Returns the document of a run.
pub fn document(report: &CasesReport<'_>) -> Value {
    let described = |part: fn(&(SafeText, SafeText)) -> &SafeText| report.described.as_ref().ok().map(part);
    json!({
        "schema": "smcp.cases/1",
        "exit_code": report.exit_code,
        "policy": {
            "name": described(|(name, _)| name),
            "version": described(|(_, version)| version),
            "source": report.source,
            "digest": report.digest,
            "fault": report.described.as_ref().err().map(fault),
        },
        "summary": {
            "cases": report.cases().count(),
            "held": report.count(CaseState::Holds),
            "failed": report.count(CaseState::Fails),
            "updated": report.count(CaseState::Updated),
        },
        "files": report.files.iter().map(file).collect::<Vec<_>>(),
    })
}

fn fault(fault: &Fault) -> Value {
    json!({"kind": fault.kind, "message": fault.message, "remedy": fault.remedy})
}

fn file(file: &FileReport<'_>) -> Value {
    let refused = file.update.as_ref().and_then(|update| update.as_ref().err());
    json!({
        "file": safe(&file.run.file),
        "cases": file.run.cases.iter().map(|run| case(file, run)).collect::<Vec<_>>(),
        "not_updated": refused.map(|refused| json!({"case": safe(&refused.name), "reason": safe(&refused.reason)})),
    })
}

fn case(file: &FileReport<'_>, case: &CaseRun) -> Value {
    let state = match file.state(case) {
        CaseState::Holds => "held",
        CaseState::Updated => "updated",
        CaseState::Fails => "failed",
    };
    json!({
        "name": safe(&case.name),
        "line": case.position.line,
        "column": case.position.column,
        "state": state,
        "found": found(&case.found),
        "differences": case.differences.iter().map(difference).collect::<Vec<_>>(),
        "duration_us": u64::try_from(case.duration.as_micros()).unwrap_or(u64::MAX),
    })
}

fn found(found: &Found) -> Value {
    match found {
        Found::Verdict { violations, notices } => json!({
            "violations": violations.iter().map(finding).collect::<Vec<_>>(),
            "notices": notices.iter().map(finding).collect::<Vec<_>>(),
        }),
        Found::Problems(problems) => {
            let problem =
                |it: &smcp_policy_cases::FoundProblem| json!({"path": safe(&it.path), "message": safe(&it.message)});
            json!({"problems": problems.iter().map(problem).collect::<Vec<_>>()})
        }
        Found::Fault { kind, message } => json!({"fault": safe(kind), "message": safe(message)}),
    }
}

fn finding(finding: &FoundFinding) -> Value {
    let FoundFinding { code, message, fact, remedy } = finding;
    let maybe = |text: &Option<String>| text.as_deref().map(SafeText::new);
    json!({"code": safe(code), "message": safe(message), "fact": maybe(fact), "remedy": maybe(remedy)})
}

fn difference(difference: &Difference) -> Value {
    match difference {
        Difference::Missing { what, message } => {
            json!({"kind": "missing", "what": safe(what), "message": message.as_deref().map(SafeText::new)})
        }
        Difference::Unexpected { what, message } => {
            json!({"kind": "unexpected", "what": safe(what), "message": safe(message)})
        }
        Difference::Changed { what, expected, found } => json!({
            "kind": "changed",
            "what": safe(what),
            "expected": safe(expected),
            "found": found.as_deref().map(SafeText::new),
        }),
        Difference::Order { what, expected, found } => {
            json!({"kind": "order", "what": what, "expected": expected, "found": found})
        }
        Difference::Outcome { expected, found } => {
            json!({"kind": "outcome", "expected": safe(expected), "found": safe(found)})
        }
    }
}

fn safe(text: &str) -> SafeText {
    SafeText::new(text)
}
