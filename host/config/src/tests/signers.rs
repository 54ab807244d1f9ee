//! Who must have signed a component: what is read, and what is refused.

use super::bad;
use super::good;

const KEY: &str = "RWQf6LRCGA9i53mlYecO4IzT51TGPpvWucNSCh1CBM0QTaLn73Y7GFO3";

/// Returns a configuration with one entry, whose `signed_by` is in line 5.
fn entry(signed_by: &str) -> String {
    format!("policy:\n  custom:\n    - name: a\n      source: a.wasm\n      signed_by: {signed_by}\n")
}

#[test]
fn every_signer_is_read_and_written_again() {
    let config = good(&entry(&format!(
        "[{{minisign: {KEY}}}, {{key: k.pem}}, {{key: ~/k.pem, log: required}}, {{issuer: 'https://i', identity: a@b}}, \
         {{all_of: [{{minisign: {KEY}}}, {{issuer: 'https://i', identity: a@b, trusted_root: /r.json}}]}}]"
    )));
    let of = |config: &crate::Config| {
        let layer = config.layers().first().unwrap();
        let policy = layer.policies().iter().find(|policy| policy.name.as_str() == "a").unwrap();
        policy.signed_by.clone().unwrap()
    };
    let rule = of(&config);
    let expected = serde_json::json!([
        {"minisign": KEY},
        {"key": "/home/me/.mcp/k.pem"},
        {"key": "/home/me/k.pem", "log": "required"},
        {"issuer": "https://i", "identity": "a@b"},
        {"all_of": [{"minisign": KEY}, {"issuer": "https://i", "identity": "a@b", "trusted_root": "/r.json"}]},
    ]);
    assert_eq!(rule.written(), expected);
    assert_eq!(of(&good(&config.view().to_string())), rule);
    assert_eq!(good("policy: {custom: [{name: a, source: a}]}").layers()[0].policies()[3].signed_by, None);
}

#[test]
fn a_rule_that_asks_for_nobody_or_for_something_else_is_refused() {
    let list = "(allowed: a list of 1 to 64 signers, of which one must fit: `minisign: KEY`, `key: FILE.pem`, `{issuer: \
                URL, identity: TEXT}`, or `all_of:` a list of these)";
    let signer = "(allowed: a mapping of minisign, or of key (with log and trusted_root), or of issuer and identity (with \
                  trusted_root))";
    let key = "(allowed: the key as `minisign -G` prints it: 56 characters from `RW` on)";
    let at = |column: usize, path: &str, says: &str| format!("5:{column}: `policy.custom[0].signed_by{path}` {says}");
    let cases = [
        ("[]".to_owned(), at(18, "", &format!("is empty {list}"))),
        ("~".to_owned(), at(18, "", &format!("has no value {list}"))),
        (KEY.to_owned(), at(18, "", &format!("is the text `{KEY}` {list}"))),
        (format!("{{minisign: {KEY}}}"), at(18, "", &format!("is a mapping {list}"))),
        ("[{all_of: []}]".to_owned(), at(28, "[0].all_of", &format!("is empty {list}"))),
        ("[{all_of: ~}]".to_owned(), at(28, "[0].all_of", &format!("has no value {list}"))),
        (
            format!("[{{all_of: [{{all_of: [{{minisign: {KEY}}}]}}]}}]"),
            at(30, "[0].all_of[0].all_of", &format!("is no key of a signer {signer}")),
        ),
        ("[{}]".to_owned(), at(19, "[0]", &format!("is an empty mapping {signer}"))),
        (format!("[{KEY}]"), at(19, "[0]", &format!("is the text `{KEY}` {signer}"))),
        (
            format!("[{{minisgn: {KEY}}}]"),
            at(20, "[0].minisgn", &format!("is no key of a signer; did you mean `minisign`? {signer}")),
        ),
        (
            "[{issuer: 'https://i', subject: a@b}]".to_owned(),
            at(41, "[0].subject", &format!("is no key of a signer; did you mean `identity`? {signer}")),
        ),
        ("[{minisign: RWx}]".to_owned(), at(30, "[0].minisign", &format!("is the text `RWx` {key}"))),
        ("[{minisign: 1}]".to_owned(), at(30, "[0].minisign", "is the number 1 (allowed: a text)")),
        (format!("[{{minisign: {KEY}, key: k.pem}}]"), at(19, "[0]", &format!("has minisign, key together {signer}"))),
        ("[{issuer: 'https://i'}]".to_owned(), at(19, "[0]", &format!("has issuer alone {signer}"))),
        ("[{key: k, log: optional}]".to_owned(), at(33, "[0].log", "is the text `optional` (allowed: required)")),
        (
            "[{key: k, trusted_root: r}]".to_owned(),
            at(19, "[0]", &format!("has `trusted_root`, which nothing asks for without `log: required` {signer}")),
        ),
        (
            "[{issuer: 'https://i', identity: '*@b'}]".to_owned(),
            at(
                51,
                "[0].identity",
                "is the text `*@b`: an identity is compared as a whole, and `*` stands for nothing (allowed: a whole \
                 identity, as certificates have it)",
            ),
        ),
        (
            "[{issuer: '', identity: a@b}]".to_owned(),
            at(28, "[0].issuer", "is the text `` (allowed: the address of an issuer, as certificates have it)"),
        ),
        (
            format!("[{{minisign: {KEY}, minisign: {KEY}}}]"),
            at(88, "[0].minisign", "is there twice (allowed: each key once)"),
        ),
    ];
    for (signed_by, problem) in cases {
        assert_eq!(bad(&entry(&signed_by)), [problem], "{signed_by}");
    }
    // Each of them alone would be both.
    for twice in [
        format!("{{minisign: {KEY}}}, {{key: k}}, {{minisign: {KEY}}}"),
        "{key: k}, {key: l}, {key: ./k, log: required}".to_owned(),
        "{issuer: i, identity: a}, {issuer: i, identity: b}, {issuer: i, identity: a, trusted_root: r}".to_owned(),
    ] {
        let same = "[0].all_of[2]` is the signer that is [0], too (allowed: different signers, all of whom must sign)";
        for text in [
            entry(&format!("[{{all_of: [{twice}]}}]")),
            format!("policy: {{policy_set: {{source: s.tar.gz, signed_by: [{{all_of: [{twice}]}}]}}}}"),
            format!("trusted_registries: [{{registry: /r, signed_by: [{{all_of: [{twice}]}}]}}]"),
        ] {
            let found = bad(&text);
            assert!(matches!(found.as_slice(), [one] if one.contains(same)), "{text}: {found:?}");
        }
    }
    let many = vec![format!("{{minisign: {KEY}}}"); 65].join(", ");
    assert_eq!(bad(&entry(&format!("[{many}]"))), [at(18, "", &format!("has 65 items {list}"))]);
}
