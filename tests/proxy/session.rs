//! Whole sessions of both eras: which messages get the warning, and until when.

use crate::support::*;
use smcp_model::warning::Delivery;

const LISTED: &str = "[SECURITY WARNING: low]";

#[test]
fn the_block_comes_first_in_the_instructions_and_the_original_follows() {
    for method in ["initialize", "server/discover"] {
        for (result, changed) in [
            ("{}", format!(r#"{{"instructions":"{BLOCK_JSON}"}}"#)),
            ("{ }", format!(r#"{{"instructions":"{BLOCK_JSON}" }}"#)),
            (r#"{"a":1}"#, format!(r#"{{"instructions":"{BLOCK_JSON}","a":1}}"#)),
            (r#"{"instructions":""}"#, format!(r#"{{"instructions":"{BLOCK_JSON}"}}"#)),
            (r#"{"instructions":"use me"}"#, format!(r#"{{"instructions":"{BLOCK_JSON}\n\nuse me"}}"#)),
            (r#"{"instructions":null,"a":1}"#, format!(r#"{{"instructions":"{BLOCK_JSON}","a":1}}"#)),
            (r#"{"instructions":{"a":[]}}"#, format!(r#"{{"instructions":"{BLOCK_JSON}"}}"#)),
            (r#"{"instructions":7 }"#, format!(r#"{{"instructions":"{BLOCK_JSON}" }}"#)),
            (r#"{"\u0069nstructions":"x"}"#, format!(r#"{{"\u0069nstructions":"{BLOCK_JSON}\n\nx"}}"#)),
            (
                r#"{"Instructions":"x"}"#,
                format!(r#"{{"instructions":"{BLOCK_JSON}","Instructions":"{BLOCK_JSON}\n\nx"}}"#),
            ),
            (
                r#"{"a":{"instructions":"deep"}}"#,
                format!(r#"{{"instructions":"{BLOCK_JSON}","a":{{"instructions":"deep"}}}}"#),
            ),
        ] {
            let played = gives_last(&[ask("5", method), answer("5", result)], &line("5", &changed));
            assert_eq!(played.delivery, Delivery::Delivered);
        }
    }
}

#[test]
fn an_answer_with_a_warning_is_not_kept_beyond_the_session() {
    for method in ["initialize", "server/discover"] {
        for (result, changed) in [
            (r#"{"ttlMs":3600000,"cacheScope":"public"}"#, r#"{I,"ttlMs":0,"cacheScope":"private"}"#),
            (r#"{"cacheScope" : "public" , "ttlMs" : 1e9 }"#, r#"{I,"cacheScope" : "private" , "ttlMs" : 0 }"#),
            (r#"{"ttlMs":0,"cacheScope":"private"}"#, r#"{I,"ttlMs":0,"cacheScope":"private"}"#),
            (r#"{"ttlMs":"900","cacheScope":null}"#, r#"{I,"ttlMs":0,"cacheScope":"private"}"#),
            (r#"{"ttlMs":{"a":[1]},"x":{"ttlMs":7}}"#, r#"{I,"ttlMs":0,"x":{"ttlMs":7}}"#),
            (r#"{"TTLMS":5,"\u0063acheScope":"public"}"#, r#"{I,"TTLMS":0,"\u0063acheScope":"private"}"#),
        ] {
            let changed = changed.replace("{I", &format!(r#"{{"instructions":"{BLOCK_JSON}""#));
            gives_last(&[ask("5", method), answer("5", result)], &line("5", &changed));
        }
    }
    let described = r#"{"tools":[{"description":"[SECURITY WARNING: low]"}],"ttlMs":0,"cacheScope":"private"}"#;
    for (result, changed) in [
        (r#"{"tools":[{}],"ttlMs":60000,"cacheScope":"public"}"#, described),
        // An empty list has nothing that could be hidden.
        (r#"{"tools":[],"ttlMs":60000,"cacheScope":"public"}"#, r#"{"tools":[],"ttlMs":60000,"cacheScope":"public"}"#),
    ] {
        gives_last(&[ask("5", "tools/list"), answer("5", result)], &line("5", changed));
    }
    // Other answers stay unchanged, and so does a list after the instructions had the warning.
    unchanged(&[ask("5", "resources/list"), answer("5", r#"{"resources":[],"ttlMs":60000,"cacheScope":"public"}"#)]);
}

#[test]
fn an_answer_is_found_wherever_its_id_stands_and_however_its_keys_are_spelled() {
    for (message, changed) in [
        (r#"{"result":{},"id":0,"jsonrpc":"2.0"}"#, r#"{"result":{I},"id":0,"jsonrpc":"2.0"}"#),
        (r#"{"result":{},"\u0069d":0}"#, r#"{"result":{I},"\u0069d":0}"#),
        (r#"{"RESULT":{},"ID":0}"#, r#"{"RESULT":{I},"ID":0}"#),
        (" \t{ \"id\" : 0 , \"result\" : { } } ", " \t{ \"id\" : 0 , \"result\" : {I } } "),
        ("{\"id\":0,\"result\":{}}\r", "{\"id\":0,\"result\":{I}}\r"),
        (r#"{"id":0,"method":"x","result":{}}"#, r#"{"id":0,"method":"x","result":{I}}"#),
        (r#"{"x":{"id":9,"result":[]},"id":0,"result":{}}"#, r#"{"x":{"id":9,"result":[]},"id":0,"result":{I}}"#),
        ("\u{feff}{\"id\":0,\"result\":{}}", "\u{feff}{\"id\":0,\"result\":{I}}"),
    ] {
        let inserted = format!(r#""instructions":"{BLOCK_JSON}""#);
        gives_last(&[c(INITIALIZE), s(message)], &changed.replace("{I", &format!("{{{inserted}")));
    }
}

#[test]
fn what_is_not_the_answer_stays_as_it_is() {
    for line in [
        "",
        "garbage",
        "{ name: 'x', id: 0, result: {} }",
        r#"{"jsonrpc":"2.0","id":0,"method":"ping"}"#,
        r#"{"jsonrpc":"2.0","id":1,"result":{"x":1}}"#,
        r#"{"jsonrpc":"2.0","id":0,"result":null}"#,
        r#"{"jsonrpc":"2.0","id":0,"result":"text"}"#,
        r#"{"jsonrpc":"2.0","id":0,"error":{"code":1}}"#,
        r#"{"jsonrpc":"2.0","method":"x","params":{"id":0,"result":{}}}"#,
        r#"{"jsonrpc":"2.0","id":0}"#,
        "[]",
        "[1,\"x\",null,[{\"id\":0}]]",
        "0",
        "\"{\\\"id\\\":0}\"",
        "\t \r",
        "é\u{2028}🚀",
    ] {
        unchanged(&[c(INITIALIZE), s(line), s(line)]);
    }
    unchanged(&[c(INITIALIZE), raw(b"\xff\xfe{\"id\xff\":[\"\xc3\"]}\r\n\n\r\r\n{\"a\":\"\x80\"}\n")]);
}

#[test]
fn a_request_is_seen_in_every_form_that_a_server_may_read() {
    for request in [
        r#"{"method":"initialize","id":0}"#,
        r#"{"id":0,"params":{"id":1,"method":"ping"},"m\u0065thod":"initialize"}"#,
        r#" [ {"method":"initialize","id":0} ] "#,
        r#"{"id":7,"method":"initialize","id":0}"#,
        r#"{"id":0,"method":"initialize","id":7}"#,
        r#"{"method":"\u0069nitialize","id":0}"#,
    ] {
        gives_last(
            &[c(request), answer("0", r#"{"x":1}"#)],
            &line("0", &format!(r#"{{"instructions":"{BLOCK_JSON}","x":1}}"#)),
        );
    }
    for request in [
        r#"{"method":"Initialize","id":0}"#,
        r#"{"method":"initialize"}"#,
        r#"{"method":"initialize","id":null}"#,
        r#"{"method":"initialize","params":{"id":0}}"#,
        r#"{"x":{"method":"initialize","id":0}}"#,
        r#"{"method":"initialize","id":0"#,
        "{\"method\":\"initia\rlize\",\"id\":0}",
    ] {
        unchanged(&[c(request), answer("0", r#"{"x":1}"#)]);
    }
}

#[test]
fn a_list_of_tools_carries_the_short_form_until_the_block_is_delivered() {
    let pages = [
        (r#"{"tools":[]}"#.to_owned(), r#"{"tools":[]}"#.to_owned()),
        (
            r#"{"tools":[{"name":"a","description":"does"},{"name":"b"},{},{"description":null}, 7],"nextCursor":"2"}"#
                .into(),
            format!(
                r#"{{"tools":[{{"name":"a","description":"{LISTED}\n\ndoes"}},{{"description":"{LISTED}","name":"b"}},{{"description":"{LISTED}"}},{{"description":"{LISTED}"}}, 7],"nextCursor":"2"}}"#
            ),
        ),
        (r#"{"tools":[{"name":"c"}]}"#.into(), format!(r#"{{"tools":[{{"description":"{LISTED}","name":"c"}}]}}"#)),
    ];
    let (mut transcript, mut expected) = (Vec::new(), String::new());
    for (id, (page, changed)) in pages.iter().enumerate() {
        transcript.extend([ask(&id.to_string(), "tools/list"), answer(&id.to_string(), page)]);
        expected.push_str(&format!("{}\n", line(&id.to_string(), changed)));
    }
    let delivered = gives(&transcript, &expected).delivery;
    assert_eq!(delivered, Delivery::Delivered);

    let call = r#"{"content":[{"type":"text","text":"x"}]}"#;
    transcript.extend([ask("8", "tools/call"), answer("8", call)]);
    expected.push_str(&format!("{}\n", line("8", call)));
    transcript.extend([ask("9", "server/discover"), answer("9", "{}")]);
    expected.push_str(&format!("{}\n", line("9", &format!(r#"{{"instructions":"{BLOCK_JSON}"}}"#))));
    transcript.extend([ask("10", "tools/list"), answer("10", &pages[2].0)]);
    expected.push_str(&format!("{}\n", line("10", &pages[2].0)));
    gives(&transcript, &expected);
}

#[test]
fn an_empty_list_tells_nobody_anything() {
    let played = gives_last(
        &[ask("1", "tools/list"), answer("1", r#"{"tools":[]}"#), ask("2", "tools/call"), answer("2", "{}")],
        &line("2", &format!(r#"{{"content":[{TEXT_BLOCK}]}}"#)),
    );
    assert_eq!(played.delivery, Delivery::Delivered);
}

#[test]
fn every_result_of_a_call_carries_the_short_form_until_something_lasting_has() {
    for (result, changed) in [
        (r#"{"content":[]}"#, format!(r#"{{"content":[{TEXT_BLOCK}]}}"#)),
        (r#"{"content":[ ]}"#, format!(r#"{{"content":[{TEXT_BLOCK} ]}}"#)),
        (r#"{"content":[{}]}"#, format!(r#"{{"content":[{TEXT_BLOCK},{{}}]}}"#)),
        (r#"{"content":null}"#, format!(r#"{{"content":[{TEXT_BLOCK}]}}"#)),
        (r#"{"structuredContent":{}}"#, format!(r#"{{"content":[{TEXT_BLOCK}],"structuredContent":{{}}}}"#)),
        (r#"{"resultType":"complete"}"#, format!(r#"{{"content":[{TEXT_BLOCK}],"resultType":"complete"}}"#)),
        (
            r#"{"task":{},"structuredContent":1}"#,
            format!(r#"{{"content":[{TEXT_BLOCK}],"task":{{}},"structuredContent":1}}"#),
        ),
        (
            r#"{"resultType":"input_required","content":[1]}"#,
            format!(r#"{{"resultType":"input_required","content":[{TEXT_BLOCK},1]}}"#),
        ),
    ] {
        let (asked, told) = (ask("1", "tools/call"), answer("1", result));
        let expected = format!("{0}\n{0}\n", line("1", &changed));
        let played = gives(&[asked.clone(), told.clone(), asked, told], &expected);
        assert_eq!(played.delivery, Delivery::Delivered, "{result}");
    }
    for result in [r#"{"resultType":"input_required"}"#, r#"{"task":{"taskId":"1"}}"#, "null", "[]"] {
        let played = unchanged(&[ask("1", "tools/call"), answer("1", result)]);
        assert_eq!(played.delivery, Delivery::Undelivered, "{result}");
    }
}

#[test]
fn the_modern_era_gets_no_notification_and_each_discovery_the_block() {
    let discovered = r#"{"supportedVersions":["2026-07-28"],"capabilities":{"logging":{}}}"#;
    let changed = discovered.replacen('{', &format!(r#"{{"instructions":"{BLOCK_JSON}","#), 1);
    gives(
        &[
            ask("1", "server/discover"),
            answer("1", discovered),
            c(INITIALIZED),
            s("{\"method\":\"x\"}"),
            ask("2", "server/discover"),
            answer("2", discovered),
        ],
        &format!("{}\n{{\"method\":\"x\"}}\n{}\n", line("1", &changed), line("2", &changed)),
    );
}

#[test]
fn a_client_of_both_eras_probes_and_falls_back() {
    let error = r#"{"jsonrpc":"2.0","id":0,"error":{"code":-32601,"message":"no such method"}}"#;
    let initialize = INITIALIZE.replace("\"id\":0", "\"id\":1");
    gives(
        &[
            ask("0", "server/discover"),
            s(error),
            c(&initialize),
            answer("1", r#"{"capabilities":{"logging":{}}}"#),
            c(INITIALIZED),
        ],
        &format!("{error}\n{}\n{NOTIFICATION}", answered().replace("\"id\":0", "\"id\":1")),
    );
}

#[test]
fn a_handshake_long_after_the_first_is_noticed_however_it_is_spelled() {
    for method in ["initialize", "in\\u0069tialize", "initiali\\ze"] {
        for before in ["", r#"{"jsonrpc":"2.0","method":"x"} "#, "\r"] {
            let again = format!(r#"{before}{{"jsonrpc":"2.0","id":6,"method":"{method}"}}"#);
            gives(
                &[c(INITIALIZE), s(ANSWER), c(INITIALIZED), ask("5", "tools/call"), c(&again), answer("6", "{}")],
                &format!(
                    "{}\n{NOTIFICATION}{}\n",
                    answered(),
                    line("6", &format!(r#"{{"instructions":"{BLOCK_JSON}"}}"#))
                ),
            );
        }
    }
}

#[test]
fn once_it_may_the_stream_is_raw_until_the_client_asks_again() {
    let mut proxy = proxy();
    let mut out = Vec::new();
    let mut said = |proxy: &mut smcp_launch::proxy::Proxy, line: &str| {
        proxy.client(format!("{line}\n").as_bytes());
        proxy.pending(&mut out);
        proxy.is_raw()
    };
    assert!(!said(&mut proxy, INITIALIZE));
    let mut ignored = Vec::new();
    proxy.server(format!("{ANSWER}\n").as_bytes(), &mut ignored).unwrap();
    assert!(!proxy.is_raw(), "the client has not said yet that it read the answer");
    assert!(said(&mut proxy, INITIALIZED));
    assert!(said(&mut proxy, r#"{"jsonrpc":"2.0","id":5,"method":"tools/call"}"#));
    assert!(!said(&mut proxy, &INITIALIZE.replace("\"id\":0", "\"id\":6")));
    proxy.server(b"{\"jsonrpc\":\"2.0\",\"id\":6,\"error\":{}}\n", &mut ignored).unwrap();
    assert!(proxy.is_raw());
}

#[test]
fn the_initialized_of_the_client_proves_that_it_read_an_answer() {
    let loose = r#"{"jsonrpc":"2.0","id":"0","result":{"serverInfo":{}}}"#;
    let changed = loose.replace("{\"serverInfo", &format!(r#"{{"instructions":"{BLOCK_JSON}","serverInfo"#));
    let played = gives_last(&[c(INITIALIZE), s(loose)], &changed);
    assert_eq!(played.delivery, Delivery::Undelivered);
    let played = gives_last(&[c(INITIALIZE), s(loose), c(INITIALIZED)], &changed);
    assert_eq!(played.delivery, Delivery::Delivered);
}

#[test]
fn answers_out_of_order_find_their_requests() {
    let list = |id: &str| line(id, &format!(r#"{{"tools":[{{"description":"{LISTED}"}}]}}"#));
    gives(
        &[
            ask("1", "resources/read"),
            ask("2", "tools/list"),
            ask("3", "server/discover"),
            answer("2", r#"{"tools":[{}]}"#),
            answer("1", r#"{"contents":[],"tools":[]}"#),
            answer("3", r#"{"a":0}"#),
        ],
        &format!(
            "{}\n{}\n{}\n",
            list("2"),
            line("1", r#"{"contents":[],"tools":[]}"#),
            line("3", &format!(r#"{{"instructions":"{BLOCK_JSON}","a":0}}"#))
        ),
    );
}

#[test]
fn a_line_of_64_mib_that_is_not_ours_streams_through() {
    let filler = "x".repeat(1 << 20);
    for head in [
        r#"{"jsonrpc":"2.0","method":"notifications/message","params":{"data":""#,
        r#"{"jsonrpc":"2.0","id":9,"result":{"contents":[{"text":""#,
        "no json at all: ",
    ] {
        let mut proxy = proxy();
        let mut out = Vec::new();
        proxy.client(format!("{INITIALIZE}\n{{\"id\":9,\"method\":\"resources/read\"}}\n").as_bytes());
        let tail = match head.matches('{').count() {
            0 => "\n",
            2 => "\"}}\n",
            _ => "\"}]}}\n",
        };
        let mut sent = 0;
        let pieces = std::iter::once(head).chain((0..64).map(|_| filler.as_str())).chain([tail]);
        for piece in pieces {
            proxy.server(piece.as_bytes(), &mut out).unwrap();
            sent += piece.len();
            assert_eq!(out.len(), if piece == head && head.starts_with('{') { out.len() } else { sent });
        }
        out.clear();
        proxy.server(format!("{ANSWER}\n").as_bytes(), &mut out).unwrap();
        assert_eq!(String::from_utf8_lossy(&out), format!("{}\n", answered()), "after {head}");
    }
}

#[test]
fn a_huge_result_of_a_call_is_filled_at_its_front_and_streams() {
    let filler = "x".repeat(9 << 20);
    let result = format!(r#"{{"content":[{{"type":"image","data":"{filler}"}}],"_meta":{{}}}}"#);
    let expected = line("1", &result).replacen("[{", &format!("[{TEXT_BLOCK},{{"), 1);
    let transcript = [ask("1", "tools/call"), answer("1", &result), s("x")];
    for size in [usize::MAX, 65_536, 1009] {
        let played = play(&transcript, size);
        assert_eq!(played.ended, Ok(()));
        assert!(played.out == format!("{expected}\nx\n").as_bytes(), "in pieces of {size}");
    }
}

#[test]
fn delivered_is_delivered_and_no_size_or_spelling_ends_the_session() {
    let long = format!(r#"{{"id":1,"result":{{"a":"{}"}}}}"#, "x".repeat(9 << 20));
    let start = [ask("0", "server/discover"), answer("0", "{}"), ask("1", "server/discover")];
    for line in
        [long.as_str(), r#"{"id":1,"id":1,"result":{}}x"#, "{\"id\":1,\n\"result\":{}}", r#"{"id":1,"result":{"a" 1}}"#]
    {
        let transcript = [&start[..], &[s(line)]].concat();
        let played = play(&transcript, 4096);
        assert_eq!(played.ended, Ok(()));
        assert_eq!(played.delivery, Delivery::Delivered);
    }
}

/// The generated sessions found this: raw copying that stopped at a carriage return did not begin a new line in one
/// cut, but did in another.
#[test]
fn raw_copying_that_stops_at_a_carriage_return_gives_the_same_in_any_cut() {
    let transcript = [
        raw(br#"{"id":0,"result":{"serverInfo":{}}}"#),
        raw(b"\nhalf"),
        c(INITIALIZED),
        raw(b" a line\r"),
        ask("1", "initialize"),
        answer("1", "{}"),
    ];
    let block = format!(r#""instructions":"{BLOCK_JSON}""#);
    let first = format!(r#"{{"id":0,"result":{{{block},"serverInfo":{{}}}}}}"#);
    gives(&transcript, &format!("{first}\nhalf a line\r{}\n", line("1", &format!("{{{block}}}"))));
}
