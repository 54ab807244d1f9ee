//! Trusted registries: names, and who signs for them.

use super::bad;
use super::good;

const KEY: &str = "RWQf6LRCGA9i53mlYecO4IzT51TGPpvWucNSCh1CBM0QTaLn73Y7GFO3";

/// Returns a configuration with this list.
fn list(entries: &str) -> String {
    format!("trusted_registries: {entries}\n")
}

#[test]
fn an_entry_is_a_name_or_says_who_signs() {
    let signed = format!("{{registry: /srv/r, signed_by: [{{minisign: {KEY}}}], max_age: 30d, require: true}}");
    let config = good(&list(&format!("[https://a.example, {signed}, {{registry: /srv/plain}}]")));
    let layer = config.layers().first().unwrap();
    let registry = |text: &str| smcp_model::registry::Registry::from_text(text, "/".as_ref(), None).unwrap();
    for (name, believes, trusts, rule) in [
        ("https://a.example", true, true, false),
        ("/srv/r", false, true, true),
        ("/srv/plain", true, true, false),
        ("/srv/other", false, false, false),
    ] {
        let registry = registry(name);
        assert_eq!(layer.believes(Some(&registry)), believes, "{name}");
        assert_eq!((layer.trusts(Some(&registry)), layer.waives_from(Some(&registry))), (trusts, trusts), "{name}");
        assert_eq!(layer.statement_rule(&registry).is_some(), rule, "{name}");
    }
    let rule = layer.statement_rule(&registry("/srv/r")).unwrap();
    assert_eq!((rule.max_age.unwrap().as_secs(), rule.require), (30 * 86_400, true));
    assert!(layer.believes(None) && layer.trusts(None));
    // As it is shown, it reads back to the same.
    let shown = config.view().to_string();
    assert_eq!(good(&shown).layers()[0].trusted().value, layer.trusted().value, "{shown}");
    let defaults = good(&list(&format!("[{{registry: /srv/r, signed_by: [{{minisign: {KEY}}}]}}]")));
    let rule = defaults.layers()[0].statement_rule(&registry("/srv/r")).unwrap();
    assert_eq!((rule.max_age, rule.require), (None, false));
}

#[test]
fn an_entry_that_says_something_else_is_refused() {
    let entry = "(allowed: a mapping of registry and signed_by (with max_age and require), or of registry and \
                 verified_namespaces)";
    let name = "(allowed: an https:// URL (http:// only for localhost), oci://HOST/PREFIX, or a directory)";
    let signed = format!("signed_by: [{{minisign: {KEY}}}]");
    for (text, problems) in [
        ("[{}]".to_owned(), vec![format!("`trusted_registries[0]` names no registry {entry}")]),
        (format!("[{{{signed}}}]"), vec![format!("`trusted_registries[0]` names no registry {entry}")]),
        (
            "[{registry: /r, max_age: 1d}]".to_owned(),
            vec![format!("`trusted_registries[0]` has max_age, and nobody whose statements it is about {entry}")],
        ),
        (
            "[{registry: /r, require: true}]".to_owned(),
            vec![format!("`trusted_registries[0]` has require, and nobody whose statements it is about {entry}")],
        ),
        (
            "[{registry: 1}]".to_owned(),
            vec![format!("`trusted_registries[0].registry` is the number 1 {name}")],
        ),
        (
            format!("[{{registry: /r, {signed}, require: yes, max_age: 2y}}]"),
            vec![
                "`trusted_registries[0].require` is the text `yes` (allowed: true or false)".to_owned(),
                "`trusted_registries[0].max_age` is the text `2y` (allowed: a duration above zero and at most 366d, such as \
                 `30d`)"
                    .to_owned(),
            ],
        ),
        (
            format!("[{{url: /r, {signed}}}]"),
            vec![
                format!(
                    "`trusted_registries[0].url` is no key of a trusted registry; did you mean `registry`? {entry}"
                ),
                format!("`trusted_registries[0]` names no registry {entry}"),
            ],
        ),
        (
            format!("[/r, {{registry: /r, {signed}}}]"),
            vec!["`trusted_registries[1]` names /r again, with something else (allowed: each registry once)".to_owned()],
        ),
    ] {
        let mut found: Vec<_> = bad(&list(&text));
        let mut found: Vec<_> = found.iter_mut().map(|line| line.split_once(": ").unwrap().1.to_owned()).collect();
        let mut problems = problems;
        found.sort();
        problems.sort();
        assert_eq!(found, problems, "{text}");
    }
    let empty = bad(&list("[{registry: /r, signed_by: []}]"));
    assert!(empty[0].contains("`trusted_registries[0].signed_by` is empty"), "{empty:?}");
    // The same name twice says nothing else.
    good(&list("[/r, /r]"));
}

#[test]
fn a_layer_says_which_namespaces_are_verified() {
    let registry = |text: &str| smcp_model::registry::Registry::from_text(text, "/".as_ref(), None).unwrap();
    let official = "https://registry.modelcontextprotocol.io";
    let config = good(&list(&format!(
        "[{{registry: {official}, verified_namespaces: [com.example, io.github.user]}}, https://r.example/v0.1]"
    )));
    let layer = &config.layers()[0];
    for (place, namespace, verified) in [
        (official, "com.example", true),
        (official, "io.github.user", true),
        (official, "com.example.sub", false),
        (official, "com.examples", false),
        (official, "com.Example", false),
        (official, "com", false),
        (official, "", false),
        ("https://r.example/v0.1", "com.example", false),
        ("https://other.example/v0.1", "com.example", false),
    ] {
        assert_eq!(layer.verifies(&registry(place), namespace), verified, "{place} {namespace}");
    }
    assert!(layer.believes(Some(&registry(official))) && layer.waives_from(Some(&registry(official))));
    let shown = config.view().to_string();
    assert_eq!(good(&shown).layers()[0].trusted().value, layer.trusted().value, "{shown}");
    assert!(!good("").layers()[0].verifies(&registry(official), "com.example"));
}

#[test]
fn namespaces_that_could_mean_more_are_refused() {
    let of = |value: &str| {
        list(&format!("[{{registry: https://registry.modelcontextprotocol.io, verified_namespaces: {value}}}]"))
    };
    let wanted = "(allowed: a namespace, written out, such as com.example or io.github.user)";
    let one = "`trusted_registries[0].verified_namespaces[0]`";
    for (value, problem) in [
        ("[com.example.*]", format!("{one} is the text `com.example.*` {wanted}")),
        ("['*']", format!("{one} is the text `*` {wanted}")),
        ("[com.example/tool]", format!("{one} is the text `com.example/tool` {wanted}")),
        ("[com_example]", format!("{one} is the text `com_example` {wanted}")),
        ("['']", format!("{one} is the text `` {wanted}")),
    ] {
        let found = bad(&of(value));
        let (what, allowed) = problem.split_once(" (").unwrap();
        assert!(found.len() == 1 && found[0].contains(what) && found[0].ends_with(allowed), "{value}: {found:?}");
    }
    let signed = format!("signed_by: [{{minisign: {KEY}}}]");
    let text = list("[{registry: /r, verified_namespaces: [com.example]}]");
    assert!(bad(&text)[0].contains("has verified_namespaces, and /r has none"), "{:?}", bad(&text));
    let both = format!(
        "[{{registry: https://registry.modelcontextprotocol.io, {signed}, verified_namespaces: [com.example]}}]"
    );
    assert!(bad(&list(&both))[0].contains("by whose statements the origin goes"), "{:?}", bad(&list(&both)));
}
