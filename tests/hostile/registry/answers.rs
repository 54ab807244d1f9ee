//! Answers to `resolve` that are not valid, or are about another package.

use serde_json::json;

use crate::server::Reply;
use crate::server::message;
use crate::trial::Goods;
use crate::trial::RESOLVE;
use crate::trial::all_end_as_they_should;
use crate::trial::table;

#[test]
fn what_is_no_document_is_refused() {
    let deep = format!("{}{}", "[".repeat(300), "]".repeat(300));
    let entry = Goods::get().entry.to_string();
    let with = |more: &str| format!("{},{more}}}", &entry[..entry.len() - 1]);
    let huge = format!("{}{entry}", " ".repeat(1024 * 1024));
    let latin = [&entry.as_bytes()[..entry.len() - 1], b",\"x\":\"\xff\xfe\"}"].concat();
    all_end_as_they_should(table(
        RESOLVE,
        vec![
            ("an empty body", Reply::ok(""), 3, "it is empty"),
            ("half a document", Reply::ok(&entry[..entry.len() / 2]), 3, "EOF while parsing"),
            ("two documents", Reply::ok(format!("{entry}{entry}")), 3, "trailing characters"),
            ("a list", Reply::ok(format!("[{entry}]")), 3, "it is no object"),
            ("300 levels", Reply::ok(with(&format!("\"x\":{deep}"))), 3, "recursion limit"),
            ("300 levels alone", Reply::ok(deep.as_str()), 3, "recursion limit"),
            ("a key twice", Reply::ok(with("\"package\":\"acme/tool\"")), 3, "the key `package` stands twice"),
            ("NaN", Reply::ok(with("\"x\":NaN")), 3, "expected value"),
            ("a number too large", Reply::ok(with("\"x\":1e999")), 3, "number out of range"),
            ("invalid UTF-8", Reply::ok(latin), 3, "invalid unicode"),
            ("a byte order mark", Reply::ok(format!("\u{feff}{entry}")), 3, "byte order mark"),
            (
                "UTF-16",
                Reply::ok(entry.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<_>>()),
                3,
                "is not valid",
            ),
            ("too long", Reply::ok(&huge), 3, "bytes, the most that is read"),
            ("too long, cut in chunks", chunked(huge.as_bytes()), 3, "bytes, the most that is read"),
            (
                "a web page",
                Reply::with(200, &[("content-type", "text/html; charset=utf-8")], "<html><script>"),
                2,
                "answered with a web page",
            ),
            ("a web page under another name", Reply::ok("<!DOCTYPE html>"), 2, "answered with a web page"),
            ("an archive", Reply::ok(b"PK\x03\x04\x14\0"), 3, "it is a zip archive, not a JSON document"),
            (
                "an error of storage",
                Reply::ok("<?xml version=\"1.0\"?><Error/>"),
                3,
                "it is XML text, not a JSON document",
            ),
            (
                "an error with status 200",
                Reply::ok(json!({"error": {"code": "gone", "message": "it is gone"}}).to_string()),
                3,
                "missing field `package`",
            ),
            (
                "a length that says more",
                Reply::raw(message(200, &[("content-length", "9999")], entry.as_bytes())),
                2,
                "read its answer",
            ),
            (
                "a length that says too much",
                Reply::raw(message(200, &[("content-length", "99999999999")], b"")),
                3,
                "bytes, the most that is read",
            ),
            (
                "a length that is none",
                Reply::raw(message(200, &[("content-length", "-1")], entry.as_bytes())),
                2,
                "does not answer as an HTTP server",
            ),
            (
                "a length that says less",
                Reply::raw(message(200, &[("content-length", "100")], entry.as_bytes())),
                3,
                "EOF while parsing",
            ),
            (
                "gzip",
                Reply::with(200, &[("content-encoding", "gzip")], &Goods::get().bundle),
                2,
                "in the encoding `gzip`",
            ),
        ],
    ));
}

/// A body in chunks of 1,000 bytes.
pub(crate) fn chunked(body: &[u8]) -> Reply {
    let mut bytes = message(200, &[("transfer-encoding", "chunked")], b"");
    for chunk in body.chunks(1000) {
        bytes.extend(format!("{:x}\r\n", chunk.len()).bytes());
        bytes.extend(chunk);
        bytes.extend(b"\r\n");
    }
    bytes.extend(b"0\r\n\r\n");
    Reply::Bytes(bytes)
}

#[test]
fn an_answer_about_something_else_is_refused() {
    let goods = Goods::get();
    let entry = |change: fn(&mut serde_json::Value)| Reply::ok(goods.entry_with(change));
    all_end_as_they_should(table(
        RESOLVE,
        vec![
            (
                "another package",
                entry(|e| e["package"] = json!("acme/other")),
                3,
                "the package in the registry's answer is `acme/other`",
            ),
            (
                "another version",
                entry(|e| e["resolved"]["version"] = json!("1.0.1")),
                3,
                "the version in the registry's answer is `1.0.1`",
            ),
            (
                "another reference",
                entry(|e| e["ref"] = json!("2.0.0")),
                3,
                "the reference in the registry's answer is `2.0.0`",
            ),
            ("a reference of another type", entry(|e| e["ref"] = json!(["1.0.0"])), 3, "invalid type"),
            (
                "a package with an escape",
                entry(|e| e["package"] = json!("acme/tool\u{1b}[2J")),
                3,
                "acme/tool\\u{1b}[2J",
            ),
            (
                "a version that is none",
                entry(|e| e["resolved"]["version"] = json!("../1.0.0")),
                3,
                "which is no version",
            ),
            (
                "a digest that is a path",
                entry(|e| e["resolved"]["bundle"]["digest"] = json!("../../../../etc/passwd")),
                3,
                "is not a digest",
            ),
            (
                "a digest in capitals",
                entry(|e| e["resolved"]["manifest"]["digest"] = json!(format!("sha256:{}", "A".repeat(64)))),
                3,
                "is not a digest",
            ),
            (
                "a short digest",
                entry(|e| e["resolved"]["manifest"]["digest"] = json!("sha256:00")),
                3,
                "is not a digest",
            ),
            (
                "no digest",
                entry(|e| drop(e["resolved"]["manifest"].as_object_mut().unwrap().remove("digest"))),
                3,
                "missing field `digest`",
            ),
            (
                "no bundle",
                entry(|e| drop(e["resolved"].as_object_mut().unwrap().remove("bundle"))),
                3,
                "missing field `bundle`",
            ),
            ("a negative size", entry(|e| e["resolved"]["bundle"]["size_bytes"] = json!(-1)), 3, "is not valid"),
            (
                "a size with a fraction",
                entry(|e| e["resolved"]["bundle"]["size_bytes"] = json!(1.5)),
                3,
                "is not valid",
            ),
            (
                "another size",
                entry(|e| e["resolved"]["bundle"]["size_bytes"] = json!(1)),
                3,
                "the bundle's size in the registry's answer",
            ),
            (
                "a size beyond counting",
                entry(|e| e["resolved"]["bundle"]["size_bytes"] = json!(u64::MAX)),
                3,
                "the bundle's size in the registry's answer",
            ),
            (
                "another commit",
                entry(|e| e["resolved"]["git_sha"] = json!("ffffffffffffffff")),
                3,
                "`package.git_sha` in the manifest",
            ),
            (
                "a status of the wrong type",
                entry(|e| e["resolved"]["status"] = json!({"published": true})),
                4,
                "status",
            ),
            ("a status in capitals", entry(|e| e["resolved"]["status"] = json!("PUBLISHED")), 4, "PUBLISHED"),
            ("revoked", entry(|e| e["resolved"]["status"] = json!("revoked")), 4, "revoked"),
        ],
    ));
}
