//! The warning as bytes of JSON, ready to be inserted.
//!
//! It is made once from the [`Warning`] of `report`; the rewriter only copies it.

use smcp_model::warning::Warning;

/// The words that are put into the stream.
#[derive(Debug)]
pub(crate) struct Words {
    /// The block, escaped, without quotes.
    pub(crate) block: Vec<u8>,
    /// The short form, escaped, without quotes.
    pub(crate) short: Vec<u8>,
    /// The short form as a content block of a call's result.
    pub(crate) content: Vec<u8>,
    /// The notification, a whole line.
    pub(crate) notification: Vec<u8>,
}

impl Words {
    /// Encodes a warning.
    pub(crate) fn new(warning: &Warning) -> Self {
        let short = escaped(&warning.short);
        let content = [br#"{"type":"text","text":""#, short.as_slice(), br#""}"#].concat();
        let head: &[u8] = br#"{"jsonrpc":"2.0","method":"notifications/message","params":{"level":"warning","logger":"mcp-hub-security","data":""#;
        let notification = [head, escaped(&warning.notification).as_slice(), b"\"}}\n"].concat();
        Self { block: escaped(&warning.block), short, content, notification }
    }
}

/// Escapes a text for the inside of a JSON string. Characters that some program takes for a line end, or does not show,
/// are escaped even where JSON does not require it.
fn escaped(text: &str) -> Vec<u8> {
    let mut out = String::with_capacity(text.len() + text.len() / 8);
    for letter in text.chars() {
        match letter {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            letter if letter.is_control() || matches!(letter, '\u{2028}' | '\u{2029}') => {
                out.push_str(&format!("\\u{:04x}", u32::from(letter)));
            }
            letter => out.push(letter),
        }
    }
    out.into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_text_becomes_one_line_of_json_and_comes_back() {
        let text = "a\"b\\c\n\r\t\0\u{7f}\u{85}\u{2028}\u{2029}é🚀</script>";
        let inside = escaped(text);
        assert!(inside.iter().all(|byte| *byte >= 0x20 && *byte != 0x7f));
        let line = [b"\"", inside.as_slice(), b"\""].concat();
        assert_eq!(serde_json::from_slice::<String>(&line).unwrap(), text);
        assert!(!String::from_utf8(inside).unwrap().contains(['\u{85}', '\u{2028}', '\u{2029}']));
    }

    #[test]
    fn the_notification_is_the_one_of_the_protocol() {
        let warning = Warning { block: String::new(), short: "[S]".into(), notification: "say \"no\"".into() };
        let words = Words::new(&warning);
        let value: serde_json::Value = serde_json::from_slice(&words.notification).unwrap();
        assert_eq!(value["method"], "notifications/message");
        assert_eq!(value["params"]["level"], "warning");
        assert_eq!(value["params"]["logger"], "mcp-hub-security");
        assert_eq!(value["params"]["data"], "say \"no\"");
        assert_eq!(words.notification.iter().filter(|byte| **byte == b'\n').count(), 1);
        let content: serde_json::Value = serde_json::from_slice(&words.content).unwrap();
        assert_eq!(content, serde_json::json!({"type": "text", "text": "[S]"}));
    }
}
