//! Writes JSON documents, and makes the one for an error.

use std::io;
use std::io::Write;

use serde::Serialize;
use serde_json::Value;
use serde_json::json;

use smcp_model::text::SafeText;
use smcp_model::visible;

/// Returns the document for an error that leaves no other to write: wrong usage or configuration, an unreachable
/// registry.
pub fn error(code: &str, message: &str, exit_code: u8, problems: Vec<Value>) -> Value {
    json!({
        "schema": "smcp.error/1",
        "code": code,
        "message": SafeText::one_line(message),
        "exit_code": exit_code,
        "problems": problems,
    })
}

/// Writes a document on one line. Characters that control a terminal become `\u` escapes, which JSON reads as the same
/// text.
///
/// # Errors
/// When the writer fails.
pub fn write(document: &impl Serialize, out: &mut dyn Write) -> io::Result<()> {
    out.write_all(&visible::line(document)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures;
    use smcp_model::decision::DecisionDocument;

    fn written(case: &fixtures::Case) -> String {
        let document = case.report().document();
        let written = serde_json::to_string_pretty(&document).unwrap();
        assert_eq!(serde_json::from_str::<DecisionDocument>(&written).unwrap(), document, "{written}");
        written
    }

    #[test]
    fn every_decision_has_its_document() {
        for case in fixtures::cases() {
            insta::assert_snapshot!(case.name, written(&case));
        }
    }

    #[test]
    fn the_keys_stand_in_the_order_of_the_contract() {
        let document = serde_json::to_value(fixtures::two_violations().report().document()).unwrap();
        let keys = |value: &Value| value.as_object().unwrap().keys().cloned().collect::<Vec<_>>().join(" ");
        assert_eq!(keys(&document), "schema package decision exit_code facts policies notices");
        assert_eq!(keys(&document["facts"]), "origin cert_level score status registry bundle_digest believed_by");
        let policy = &document["policies"][0];
        assert_eq!(keys(policy), "name layer mode outcome effect digest version duration_us findings");
        assert_eq!(keys(&policy["findings"][0]), "kind code message fact remedy");
    }

    #[test]
    fn an_error_has_its_document() {
        let document = error("config", "1 problem", 1, vec![json!({"line": 3})]);
        let expected =
            r#"{"schema":"smcp.error/1","code":"config","message":"1 problem","exit_code":1,"problems":[{"line":3}]}"#;
        assert_eq!(document.to_string(), expected);
        let lines = error("x", "no such thing\n  it has:\n  this\n\n  try that\n", 2, Vec::new());
        assert_eq!(lines["message"], "no such thing; it has: this; try that");
    }

    #[test]
    fn what_is_written_is_visible_and_means_the_same() {
        let text = "tab\t quote\" bell\u{7} c1\u{9b} bidi\u{202e} tag\u{e0041} 漢字 🙂";
        let document = json!({"text": text});
        let mut out = Vec::new();
        write(&document, &mut out).unwrap();
        let written = String::from_utf8(out).unwrap();
        assert_eq!(
            written,
            "{\"text\":\"tab\\t quote\\\" bell\\u0007 c1\\u009b bidi\\u202e tag\\udb40\\udc41 漢字 🙂\"}\n"
        );
        assert_eq!(serde_json::from_str::<Value>(&written).unwrap(), document);
    }
}
