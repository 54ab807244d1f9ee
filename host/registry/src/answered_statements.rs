//! A registry's answer with the signed statements about a version.
//!
//! `serve` makes it, and the client reads it. A statement and a signature are texts, so they stand in it as they are.

use serde_json::Value;
use serde_json::json;

use smcp_model::json;
use smcp_model::statement::ArrivedStatement;
use smcp_model::statement::ArrivedStatements;
use smcp_model::text::SafeText;

#[derive(serde::Deserialize)]
#[serde(expecting = "an object")]
struct RawAnsweredStatements {
    statements: Vec<RawAnsweredStatement>,
}

#[derive(serde::Deserialize)]
#[serde(expecting = "an object")]
struct RawAnsweredStatement {
    statement: Option<String>,
    minisign: Option<String>,
    sigstore: Option<String>,
}

/// Reads an answer. What is signed in a form that this version does not know counts as not there.
pub(crate) fn read(bytes: &[u8]) -> Result<ArrivedStatements, SafeText> {
    let RawAnsweredStatements { statements } = json::read(bytes)?;
    let mut arrived = ArrivedStatements::default();
    for RawAnsweredStatement { statement, minisign, sigstore } in statements {
        match (statement, minisign, sigstore) {
            (Some(statement), Some(signature), None) => arrived.add(ArrivedStatement::Minisign {
                statement: statement.into_bytes(),
                signature: signature.into_bytes(),
            })?,
            (None, None, Some(bundle)) => arrived.add(ArrivedStatement::Sigstore { bundle: bundle.into_bytes() })?,
            _ => tracing::debug!("a statement of an unknown form is passed over"),
        }
    }
    Ok(arrived)
}

/// Makes the answer. What is no text is left out: it could not be a statement.
pub(crate) fn written(arrived: &ArrivedStatements) -> Value {
    let text = |bytes: &[u8]| std::str::from_utf8(bytes).ok().map(str::to_owned);
    let statement = |arrived: &ArrivedStatement| match arrived {
        ArrivedStatement::Minisign { statement, signature } => {
            Some(json!({"statement": text(statement)?, "minisign": text(signature)?}))
        }
        ArrivedStatement::Sigstore { bundle } => Some(json!({"sigstore": text(bundle)?})),
    };
    json!({"statements": arrived.all().iter().filter_map(statement).collect::<Vec<_>>()})
}

#[cfg(test)]
mod tests {
    use super::*;
    use smcp_model::limits::statements as limits;

    #[test]
    fn what_is_served_is_what_arrives() {
        let mut arrived = ArrivedStatements::default();
        assert_eq!(read(written(&arrived).to_string().as_bytes()), Ok(arrived.clone()));
        arrived
            .add(ArrivedStatement::Minisign { statement: b"{\"a\": 1}\n".into(), signature: b"s\n".into() })
            .unwrap();
        arrived.add(ArrivedStatement::Sigstore { bundle: br#"{"dsseEnvelope":{"payload":""}}"#.into() }).unwrap();
        assert_eq!(read(written(&arrived).to_string().as_bytes()), Ok(arrived));
    }

    #[test]
    fn what_is_not_known_is_passed_over_and_what_is_too_much_refused() {
        let unknown = br#"{"statements":[{"statement":"a"},{"pgp":"b","statement":"a"},{}], "more": 1}"#;
        assert_eq!(read(unknown), Ok(ArrivedStatements::default()));
        let one = |count: usize, length: usize| {
            let one = json!({"statement": "x".repeat(length), "minisign": "y"});
            json!({"statements": vec![one; count]}).to_string()
        };
        assert!(read(one(limits::PER_VERSION, 1).as_bytes()).is_ok());
        for (count, length) in [(limits::PER_VERSION + 1, 1), (5_000, 1)] {
            assert!(read(one(count, length).as_bytes()).is_err(), "{count} {length}");
        }
        // What is longer than a statement is nobody's.
        assert_eq!(read(one(1, limits::STATEMENT + 1).as_bytes()), Ok(ArrivedStatements::default()));
        for nonsense in ["", "[]", "{}", r#"{"statements":{}}"#, r#"{"statements":[],"statements":[]}"#] {
            assert!(read(nonsense.as_bytes()).is_err(), "{nonsense}");
        }
    }
}
