//! What a server tries to keep its warning from the model, and how it ends.

use crate::support::*;
use smcp_launch::proxy::Evasion;
use smcp_model::warning::Delivery;

#[test]
fn a_key_that_stands_twice_ends_the_session() {
    for line in [
        r#"{"jsonrpc":"2.0","id":0,"result":{},"result":{"instructions":"x"}}"#,
        r#"{"id":0,"id":1,"result":{}}"#,
        r#"{"id":1,"result":{},"ID":0}"#,
        r#"{"id":0,"result":{},"re\u0073ult":{}}"#,
        r#"{"id":0,"result":{},"re\u017fult":{}}"#,
        r#"{"id":0,"result":{"instructions":"a","instructions":"b"}}"#,
        r#"{"id":0,"result":{"instructions":"a","In\u017ftructions":"b"}}"#,
        r#"{"id":0,"result":{"a":1,"\u0061":2}}"#,
        r#"{"method":"x","params":{},"params":{}}"#,
        r#"[{"id":0,"result":{"a":1,"a":1}}]"#,
        r#"[{"id":0,"id":0}]"#,
    ] {
        evades(&[c(INITIALIZE), s(line)], Evasion::DuplicateKey);
    }
    let tools = r#"{"tools":[{"description":"a","DESCRIPTION":"b"}]}"#;
    evades(&[ask("1", "tools/list"), answer("1", tools)], Evasion::DuplicateKey);
    unchanged(&[c(INITIALIZE), s(r#"{"method":"x","params":{"a":1,"a":2},"A":1,"a":2}"#)]);
}

#[test]
fn an_answer_that_is_too_long_to_be_judged_ends_the_session() {
    let filler = "x".repeat(9 << 20);
    for line in [
        format!(r#"{{"id":0,"result":{{"a":"{filler}"}}}}"#),
        format!(r#"{{"result":{{"a":"{filler}"}},"id":7}}"#),
        format!(r#"{{"pad":"{filler}","id":0,"result":{{}}}}"#),
        format!(r#"{{"id":55,"result":{{"a":"{filler}"}}}}"#),
        format!(r#"[{{"method":"x"}},"{filler}"]"#),
        format!(r#"{{"id":0,"result":{{}}}}{filler}"#),
    ] {
        evades(&[c(INITIALIZE), s(&line)], Evasion::TooLong);
    }
}

#[test]
fn a_line_that_turns_into_an_answer_ends_the_session() {
    let filler = "x".repeat(9 << 20);
    for (line, evasion) in [
        (format!(r#"{{"method":"x","params":"{filler}","id":0,"result":{{}}}}"#), Evasion::LateAnswer),
        (format!(r#"{{"method":"x","params":"{filler}","result":{{}},"id":0}}"#), Evasion::LateAnswer),
        (format!(r#"{{"id":0,"method":"x","params":"{filler}","result":{{}}}}"#), Evasion::LateAnswer),
        (format!(r#"{{"method":"x","id":77,"params":"{filler}","result":{{}}}}"#), Evasion::LateAnswer),
        (r#"{"method":"x","id":0,"\u0052ESULT":{}}"#.replace("id\":0", "id\":77"), Evasion::LateAnswer),
        (format!(r#"{{"id":9,"result":{{"a":"{filler}"}},"id":0}}"#), Evasion::DuplicateKey),
    ] {
        evades(&[c(INITIALIZE), ask("9", "ping"), s(&line)], evasion);
    }
    let content = format!(r#"{{"content":["{filler}"],"content":[]}}"#);
    evades(&[ask("1", "tools/call"), answer("1", &content)], Evasion::DuplicateKey);
}

#[test]
fn an_answer_that_only_readers_of_values_see_ends_the_session() {
    for lines in [
        "{\n\"id\":0,\"result\":{}}",
        "{\r\n  \"id\": 0,\r\n  \"result\": {}\r\n}",
        "{\"id\":0,\r\"result\":{}}",
        "{\"id\":0,\"result\":\n{}}",
        "{\"result\":{\"a\":[1,\n2]},\"id\":0}",
        "{} {\"id\":0,\"result\":{}}",
        "1 {\"id\":0,\"result\":{}}",
        "{\"method\":\"x\"}{\"id\":0,\"result\":{}}",
        "[{\"method\":\"x\"},\n {\"id\":0,\n\"result\":{}}]",
        "[\n[],{\"id\":0,\"result\":{}}]",
        "{\"x\":\n1}{\"id\":0,\"result\":{}}",
        "{\"id\":\"0\",\n\"result\":{\"serverInfo\":{}}}",
        "{\"id\":0,\"result\":{}}{\"id\":0,\"result\":{}}",
    ] {
        evades(&[c(INITIALIZE), s("log"), s(lines)], Evasion::NotOneLine);
    }
}

#[test]
fn what_is_printed_over_several_lines_and_is_no_answer_passes() {
    for lines in [
        "{\n  jsonrpc: '2.0',\n  id: 0,\n  result: { tools: [ [Object] ] }\n}",
        "{\n  \"level\": \"info\",\n  \"id\": 0\n}",
        "[\n  1,\n  {\"id\": 0}\n]",
        "{",
        "}",
        "[",
        "\"unterminated",
        "{ it's \"half",
        "DEBUG {\"id\":0,\"result\":{}}",
        "[debug] {\"id\":0,\"result\":{}}",
        "{\n\"id\":9,\n\"result\":{}\n}",
        "{\"method\":\"x\"} {\"method\":\"y\"}",
    ] {
        let transcript = [c(INITIALIZE), ask("9", "ping"), s(lines)];
        unchanged(&transcript);
        let after = [&transcript[..], &[s(ANSWER)]].concat();
        gives_last(&after, &answered());
    }
}

#[test]
fn an_answer_to_nobody_is_changed_by_its_shape_and_counts_for_nothing() {
    let block = format!(r#""instructions":"{BLOCK_JSON}""#);
    for (result, changed) in [
        (r#"{"serverInfo":{}}"#, format!(r#"{{{block},"serverInfo":{{}}}}"#)),
        (r#"{"protocolVersion":"x"}"#, format!(r#"{{{block},"protocolVersion":"x"}}"#)),
        (r#"{"supportedVersions":[]}"#, format!(r#"{{{block},"supportedVersions":[]}}"#)),
        (r#"{"instructions":"x"}"#, format!(r#"{{"instructions":"{BLOCK_JSON}\n\nx"}}"#)),
        (r#"{"tools":[{}]}"#, format!(r#"{{"tools":[{{"description":"{SHORT}"}}]}}"#)),
        (r#"{"content":[]}"#, format!(r#"{{"content":[{TEXT_BLOCK}]}}"#)),
        (r#"{"structuredContent":1}"#, format!(r#"{{"content":[{TEXT_BLOCK}],"structuredContent":1}}"#)),
        (r#"{"contents":[]}"#, r#"{"contents":[]}"#.into()),
        (r#"{"tools":1,"content":"x"}"#, r#"{"tools":1,"content":"x"}"#.into()),
    ] {
        for id in [r#""0""#, "99", "null", "true", "[0]"] {
            for transcript in [&[][..], &[c(INITIALIZE)], &[ask("0", "tools/list")]] {
                let transcript = [transcript, &[answer(id, result)]].concat();
                let played = gives(&transcript, &format!("{}\n", line(id, &changed)));
                assert_eq!(played.delivery, Delivery::Undelivered);
            }
        }
        unchanged(&[ask("0", "x"), answer("0", result)]);
    }
}

/// A client drops an answer that it can't read, and goes on waiting. Such an answer gets the warning and proves
/// nothing.
#[test]
fn an_answer_that_some_client_drops_does_not_count() {
    for dropped in [
        r#"{"id":0,"result":{"x":1}}"#,
        r#"{"jsonrpc":"1.0","id":0,"result":{"x":1}}"#,
        r#"{"jsonrpc":"2.0","id":0,"result":{"x":1},"extra":1}"#,
        r#"{"jsonrpc":"2.0","id":0,"result":{"x":1},"error":null}"#,
        r#"{"jsonrpc":"2.0","id":0,"method":"x","result":{"x":1}}"#,
        r#"{"jsonrpc":"2.0","ID":0,"result":{"x":1}}"#,
        r#"{"jsonrpc":"2.0","id":0,"result":{"x":1}} junk"#,
        r#"{"jsonrpc":"2.0","id":0,"result":{"x":1,}}"#,
        r#"{"jsonrpc":"2.0","id":0,"result":{"x":NaN}}"#,
        r#"{"jsonrpc":"2.0","id":0,"result":{"x":"\ud800"}}"#,
        r#"[{"jsonrpc":"2.0","id":0,"result":{"x":1}}]"#,
    ] {
        let real = r#"{"x":2}"#;
        let carried = format!(r#"{{"instructions":"{BLOCK_JSON}","x":2}}"#);
        let played = gives_last(
            &[c(INITIALIZE), s(dropped)],
            &dropped.replace(r#"{"x""#, &format!(r#"{{"instructions":"{BLOCK_JSON}","x""#)),
        );
        assert_eq!(played.delivery, Delivery::Undelivered, "{dropped}");
        let played = play(&[c(INITIALIZE), s(dropped), answer("0", real)], usize::MAX);
        assert!(played.out.ends_with(format!("{}\n", line("0", &carried)).as_bytes()), "{dropped}");
    }
}

/// An error that some clients drop does not close a request either.
#[test]
fn an_error_that_some_client_drops_closes_nothing() {
    for error in [
        r#"{"id":0,"error":{"code":1,"message":""}}"#,
        r#"{"jsonrpc":"2.0","id":0,"error":"text"}"#,
        r#"{"jsonrpc":"2.0","id":0,"error":{"code":1}} junk"#,
        r#"{"jsonrpc":"2.0","id":0,"result":null}"#,
    ] {
        let changed = format!(r#"{{"instructions":"{BLOCK_JSON}","x":1}}"#);
        gives_last(&[c(INITIALIZE), s(error), answer("0", r#"{"x":1}"#)], &line("0", &changed));
    }
}

#[test]
fn a_second_answer_to_the_handshake_carries_the_block_too() {
    let transcript = [c(INITIALIZE), s(ANSWER), answer("0", r#"{"serverInfo":{}}"#)];
    let second = format!(r#"{{"instructions":"{BLOCK_JSON}","serverInfo":{{}}}}"#);
    gives(&transcript, &format!("{}\n{}\n", answered(), line("0", &second)));
}

#[test]
fn an_answer_that_is_no_json_inside_ends_the_session() {
    for (method, result) in [
        ("tools/list", r#"{"tools":[{"name" 1}]}"#),
        ("tools/list", r#"{"tools":[{} {}]}"#),
        ("initialize", r#"{"capabilities":{x}}"#),
    ] {
        evades(&[ask("0", method), answer("0", result)], Evasion::Malformed);
    }
}

#[test]
fn more_places_than_can_be_filled_end_the_session() {
    let tools = format!(r#"{{"tools":[{}{{}}]}}"#, "{},".repeat(1_000_000));
    evades(&[ask("0", "tools/list"), answer("0", &tools)], Evasion::TooManyPlaces);
    let keys: String = (0..70_000).map(|key| format!("\"{key}\":0,")).collect();
    evades(&[c(INITIALIZE), s(&format!("{{{keys}\"id\":0,\"result\":{{}}}}"))], Evasion::TooManyKeys);
    evades(&[c(INITIALIZE), answer("0", &format!("{{{keys}\"x\":0}}"))], Evasion::TooManyKeys);
}

#[test]
fn a_flood_of_requests_costs_a_bounded_memory_and_the_newest_are_known() {
    let mut transcript: Vec<_> = (0..70_000).map(|id| ask(&id.to_string(), "tools/call")).collect();
    transcript.push(answer("69999", "{}"));
    transcript.push(answer("0", r#"{"x":1}"#));
    let played = play(&transcript, usize::MAX);
    let expected =
        format!("{}\n{}\n", line("69999", &format!(r#"{{"content":[{TEXT_BLOCK}]}}"#)), line("0", r#"{"x":1}"#));
    assert_eq!(String::from_utf8(played.out).unwrap(), expected);
}

#[test]
fn after_an_evasion_nothing_more_goes_out() {
    let mut proxy = proxy();
    let mut out = Vec::new();
    proxy.client(format!("{INITIALIZE}\n{INITIALIZED}\n").as_bytes());
    let evasion = proxy.server(b"{\"id\":0,\"id\":0,\"result\":{}}\n", &mut out).unwrap_err();
    assert!(evasion.to_string().contains("duplicate key") && evasion.to_string().contains("may stand only once"));
    out.clear();
    assert_eq!(proxy.server(b"x\n", &mut out), Err(evasion));
    assert_eq!(proxy.server_ended(&mut out), Err(evasion));
    proxy.pending(&mut out);
    assert!(out.is_empty() && !proxy.is_raw());
}
