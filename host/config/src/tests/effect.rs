//! Good documents and the rules that they mean.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use serde_json::json;

use super::good;
use super::places;
use super::read;
use crate::Config;
use crate::ConfigNotice;
use crate::choice::Audit;
use crate::parse;
use smcp_model::facts::Score;
use smcp_model::limits::PolicyLimits;
use smcp_model::mode::Mode;
use smcp_model::mode::OnWarn;
use smcp_model::policy::LayerName;
use smcp_model::policy::PolicySource;
use smcp_model::policy::PolicySpec;
use smcp_model::registry::Registry;

const DEFAULTS: [&str; 3] = [
    r#"origin strict {"allowed_origins":null}"#,
    r#"certification strict {"min_cert_level":0,"cert_score_check":"notice"}"#,
    r#"score strict {"min_score":0,"warning_threshold":80}"#,
];

/// Returns every policy of the only layer, one line each.
fn policies(config: &Config) -> Vec<String> {
    let line = |policy: &Arc<PolicySpec>| format!("{} {} {}", policy.name, policy.mode.as_str(), policy.settings);
    config.layers()[0].policies().iter().map(line).collect()
}

#[test]
fn an_empty_document_is_an_empty_configuration() {
    for text in ["", "\n", "# nothing\n", "---\n", "{}", "null", "policy: {}"] {
        let config = good(text);
        assert!(config.is_configured(), "{text}");
        assert_eq!(policies(&config), DEFAULTS, "{text}");
        assert_eq!(config.notices(), [], "{text}");
        assert_eq!(config.registry(), &Registry::default());
        assert_eq!(config.cache_dir(), Some(Path::new("/home/me/.mcp/cache")));
        assert_eq!(config.runtime_dir(), None);
        assert_eq!(config.start_timeout(), Duration::from_secs(60));
        assert_eq!(config.max_facts_age(), Duration::from_secs(86_400));
        assert_eq!(config.audit(), Audit::Required);
    }
}

#[test]
fn no_configuration_means_the_defaults_and_says_so() {
    let config = Config::unconfigured(&places());
    assert!(!config.is_configured());
    assert_eq!(policies(&config), DEFAULTS);
    assert_eq!(config.notices(), [ConfigNotice::Unconfigured]);
}

#[test]
fn every_key_has_its_effect() {
    let digest = format!("sha256:{}", "0123456789abcdef".repeat(4));
    let config = good(&format!(
        "registry_url: https://R.example/\ntrusted_registries: [https://r.example, ~/mirror]\ncache_dir: cache\n\
         runtime_dir: ~/run\nstart_timeout: 90s\nmax_facts_age: 1h\naudit: best-effort\n\
         policy:\n  allowed_origins: [' Official ', verified, OFFICIAL]\n  min_cert_level: 2\n  min_score: 80\n\
         \x20 cert_mode: warn\n  origin_mode: strict\n  score_mode: disabled\n  cert_score_check: enforce\n\
         \x20 warning_threshold: 90\n\
         \x20 custom:\n    - name: no-network\n      source: policies/no_network.wasm\n      digest: {digest}\n\
         \x20     mode: disabled\n      on_warn: confirm\n      settings: {{allow: [api.example.com, 1, 1.5, ~, true]}}\n"
    ));
    assert_eq!(config.registry().to_string(), "https://r.example");
    assert_eq!(config.cache_dir(), Some(Path::new("/home/me/.mcp/cache")));
    assert_eq!(config.runtime_dir(), Some(Path::new("/home/me/run")));
    assert_eq!(config.start_timeout(), Duration::from_secs(90));
    assert_eq!(config.max_facts_age(), Duration::from_secs(3600));
    assert_eq!(config.audit(), Audit::BestEffort);
    assert_eq!(config.warning_threshold(), Score::new(90_u8).unwrap());
    assert_eq!(
        policies(&config),
        [
            r#"origin strict {"allowed_origins":["official","verified"]}"#,
            r#"certification warn {"min_cert_level":2,"cert_score_check":"enforce"}"#,
            r#"score disabled {"min_score":80,"warning_threshold":90}"#,
            r#"no-network disabled {"allow":["api.example.com",1,1.5,null,true]}"#,
        ]
    );
    let custom = config.layers()[0].policies().last().unwrap();
    assert_eq!(custom.layer, LayerName::User);
    assert_eq!(custom.source, PolicySource::File("/home/me/.mcp/policies/no_network.wasm".into()));
    assert_eq!(custom.pin.unwrap().to_string(), digest);
    assert_eq!(custom.on_warn, Some(OnWarn::Confirm));
    assert_eq!(custom.limits, PolicyLimits::DEFAULT);
}

#[test]
fn cert_mode_is_the_default_of_the_other_modes_unless_it_is_disabled() {
    use Mode::Disabled;
    use Mode::Strict;
    use Mode::Warn;
    // origin, certification, score, custom
    let cases = [
        ("", [Strict, Strict, Strict, Strict]),
        ("cert_mode: strict", [Strict, Strict, Strict, Strict]),
        ("cert_mode: warn", [Warn, Warn, Warn, Warn]),
        ("cert_level_mode: warn", [Warn, Warn, Warn, Warn]),
        ("cert_mode: disabled", [Strict, Disabled, Strict, Strict]),
        ("cert_level_mode: disabled", [Strict, Disabled, Strict, Strict]),
        ("origin_mode: warn", [Warn, Strict, Strict, Strict]),
        ("cert_mode: warn, score_mode: strict", [Warn, Warn, Strict, Warn]),
        ("cert_mode: disabled, origin_mode: disabled, score_mode: warn", [Disabled, Disabled, Warn, Strict]),
    ];
    for (modes, expected) in cases {
        let comma = if modes.is_empty() { "" } else { ", " };
        let config = good(&format!("policy: {{{modes}{comma}custom: [{{name: a, source: a}}]}}"));
        let found: Vec<_> = config.layers()[0].policies().iter().map(|policy| policy.mode).collect();
        assert_eq!(found, expected, "{modes}");
    }
}

#[test]
fn an_empty_list_is_not_an_absent_one() {
    let origins = |text: &str| good(text).layers()[0].policies()[0].settings.clone();
    assert_eq!(origins("policy: {}"), json!({ "allowed_origins": null }));
    assert_eq!(origins("policy: {allowed_origins: []}"), json!({ "allowed_origins": [] }));

    let trusts = |text: &str, registry: &str| {
        let registry = Registry::from_text(registry, Path::new("/"), None).unwrap();
        good(text).layers()[0].believes(Some(&registry))
    };
    assert!(trusts("", "https://any.example"));
    assert!(!trusts("trusted_registries: []", Registry::DEFAULT));
    assert!(trusts("trusted_registries: [https://R.example:443/]", "https://r.example"));
    assert!(!trusts("trusted_registries: [https://r.example]", "https://s.example"));
}

#[test]
fn paths_start_at_the_file_that_names_them() {
    let source = |file: &str, source: &str| {
        let text = format!("policy: {{custom: [{{name: a, source: {source}}}]}}");
        let config = parse(text.as_bytes(), Path::new(file), &places()).unwrap();
        config.layers()[0].policies()[3].source.to_string()
    };
    assert_eq!(source("/etc/x/config.yaml", "p.wasm"), "/etc/x/p.wasm");
    assert_eq!(source("/etc/x/config.yaml", "./a/../p.wasm"), "/etc/x/p.wasm");
    assert_eq!(source("/etc/x/config.yaml", "/p.wasm"), "/p.wasm");
    assert_eq!(source("/etc/x/config.yaml", "~/p.wasm"), "/home/me/p.wasm");
    assert_eq!(source("config.yaml", "p.wasm"), "/work/p.wasm");
    assert_eq!(source("sub/config.yaml", "p.wasm"), "/work/sub/p.wasm");
    assert_eq!(good("registry_url: registry").registry().to_string(), "/home/me/.mcp/registry");
}

#[test]
fn keys_of_other_tools_are_skipped_with_one_notice() {
    let config = good("registry: {url: x, url: y}\ntimeout: 5m\nlog_level: info\npolicy: {min_score: 1}\n");
    let [notice] = config.notices() else { panic!("one notice") };
    assert_eq!(
        notice.to_string(),
        "/home/me/.mcp/config.yaml: skipped the keys of other MCP Hub tools: registry, timeout, log_level"
    );
    assert_eq!(config.registry(), &Registry::default());
    let all =
        "registry cache executor timeout max_cpu max_memory max_pids max_fds log_level audit_enabled audit_log_file";
    for key in all.split(' ') {
        assert_eq!(good(&format!("{key}: 1")).notices().len(), 1, "{key}");
        assert!(read(&format!("policy: {{{key}: 1}}")).is_err(), "{key}");
    }
}

#[test]
fn the_warning_threshold_can_only_be_raised() {
    let mut config = good("policy: {warning_threshold: 70}");
    let score = |number: u8| Score::new(number).unwrap();
    let error = config.raise_warning_threshold(score(69)).unwrap_err();
    assert_eq!(error.to_string(), "the warning threshold 69 is lower than the configured 70; it can only be raised");
    assert_eq!(config.warning_threshold(), score(70));
    config.raise_warning_threshold(score(70)).unwrap();
    config.raise_warning_threshold(score(95)).unwrap();
    assert_eq!(config.warning_threshold(), score(95));
    assert_eq!(config.layers()[0].policies()[2].settings, json!({ "min_score": 0, "warning_threshold": 95 }));
    assert!(Config::unconfigured(&places()).raise_warning_threshold(score(79)).is_err());
}

#[test]
fn the_command_line_overrides_what_is_no_policy() {
    let mut config = good("registry_url: /a\ncache_dir: /b\nstart_timeout: 1s\n");
    config.override_registry(Registry::Directory("/c".into()));
    config.override_cache_dir("/d".into());
    assert_eq!(config.registry().to_string(), "/c");
    assert_eq!(config.cache_dir(), Some(Path::new("/d")));
    let view = serde_json::to_value(config.view()).unwrap();
    assert_eq!(view["settings"]["registry_url"], json!({ "value": "/c", "source": "flag" }));
}

#[test]
fn the_view_names_the_source_of_every_value() {
    let text = "start_timeout: 90s\npolicy:\n  cert_mode: warn\n  min_score: 80\n  custom:\n    - {name: a, source: a.wasm, settings: {x: [1]}}\n  exceptions:\n    - {package: acme/legacy, policies: [a], reason: ticket 7, until: 2027-01-31}\n  policy_set: {source: rules.tar.gz, minimum: 4}\n";
    let expected = "\
registry_url: https://registry.mcp-hub.info  # default
# ca_file: null  # default
cache_dir: /home/me/.mcp/cache  # default
# runtime_dir: null  # default; in the cache
start_timeout: 1m 30s  # ~/.mcp/config.yaml:1:16
max_facts_age: 1day  # default
audit: required  # default
confinement: best-effort  # default
audit_head: none  # default
audit_log: /home/me/.mcp/audit.jsonl  # default

# user layer: /home/me/.mcp/config.yaml
# trusted_registries: null  # default; any registry
registries: open  # default
# admin_contact: null  # default
policy:
  # allowed_origins: null  # default; any origin
  min_cert_level: 0  # default
  min_score: 80  # ~/.mcp/config.yaml:4:14
  cert_mode: warn  # ~/.mcp/config.yaml:3:14
  origin_mode: warn  # default, follows cert_mode
  score_mode: warn  # default, follows cert_mode
  cert_score_check: notice  # default
  warning_threshold: 80  # default
  max_policies: 256  # default
  custom:  # ~/.mcp/config.yaml:6:7
    - {\"name\":\"a\",\"source\":\"/home/me/.mcp/a.wasm\",\"mode\":\"warn\",\"settings\":{\"x\":[1]},\"limits\":\
  {\"time\":\"500ms\",\"memory\":\"32MiB\",\"memories\":8,\"instances\":64,\"component_size\":\"32MiB\",\"output\":\"1MiB\"}}  # ~/.mcp/config.yaml:6:7
  exceptions:  # ~/.mcp/config.yaml:8:7
    - {\"package\":\"acme/legacy\",\"policies\":[\"a\"],\"reason\":\"ticket 7\",\"until\":\"2027-01-31\"}  # ~/.mcp/config.yaml:8:7
  policy_set: {\"source\":\"/home/me/.mcp/rules.tar.gz\",\"refresh\":\"1h\",\"max_age\":\"7days\",\"minimum\":4}  \
  # ~/.mcp/config.yaml:9:15
";
    assert_eq!(good(text).view().to_string(), expected);
}

#[test]
fn what_the_view_prints_means_the_same() {
    let texts = [
        "",
        "registry_url: 'a: b'\ncache_dir: \"/a # b\"\naudit: best-effort\naudit_head: syslog\nmax_facts_age: 90s\n",
        "policy: {allowed_origins: [], cert_mode: disabled, min_cert_level: 3, warning_threshold: 0}",
        "trusted_registries: [https://r.example, '- x']\npolicy: {allowed_origins: [official]}",
        "policy: {custom: [{name: a, source: 'é \"x\"', on_warn: notify, settings: 'text: x'}, {name: b, source: b}]}",
        "policy:\n  exceptions:\n    - {package: a/b@1, policies: [score, origin], codes: ['1'], reason: 'é: \"x\" # y', \
         approved_by: me, until: 2027-01-31}\n    - {package: 1/2, policies: [score], reason: x, until: 1970-01-01}",
        "policy: {policy_set: {source: 'a: b', refresh: 90s, max_age: 2d 1h, minimum: 7}}",
        "policy: {policy_set: {source: 'oci://r.example/rules:1', signed_by: [{key: k.pem}, {all_of: [{minisign: \
         RWQf6LRCGA9i53mlYecO4IzT51TGPpvWucNSCh1CBM0QTaLn73Y7GFO3}, {issuer: i, identity: a@b}]}]}}",
        "policy: {policy_set: {source: 'https://r.example/company.tar.gz', signed_by: [{key: k.pem}], refresh: 2h}}",
    ];
    let exceptions = |config: &Config| config.layers()[0].exceptions().cloned().collect::<Vec<_>>();
    for text in texts {
        let before = good(text);
        let after = good(&before.view().to_string());
        assert_eq!(exceptions(&before), exceptions(&after), "{text}");
        assert_eq!(policies(&before), policies(&after), "{text}");
        assert_eq!(before.layers()[0].policy_set(), after.layers()[0].policy_set(), "{text}");
        let sources =
            |config: &Config| config.layers()[0].policies().iter().map(|one| one.source.clone()).collect::<Vec<_>>();
        assert_eq!(sources(&before), sources(&after), "{text}");
        assert_eq!(before.registry(), after.registry(), "{text}");
        assert_eq!(before.cache_dir(), after.cache_dir(), "{text}");
        assert_eq!(before.max_facts_age(), after.max_facts_age(), "{text}");
        assert_eq!((before.audit(), before.audit_head()), (after.audit(), after.audit_head()), "{text}");
    }
}

#[test]
fn a_setting_has_its_place_in_the_file() {
    let config = good(
        "policy:\n  custom:\n    - name: a\n      source: a.wasm\n      settings:\n        allow: [x, y]\n        s: {a/b: 1}\n\
         \x20       deep:\n          - {x: 1}\n    - {name: b, source: b.wasm}\n",
    );
    let layer = &config.layers()[0];
    let spec = |name: &str| layer.policies().iter().find(|spec| spec.name.as_str() == name).unwrap();
    for (policy, pointer, expected) in [
        ("a", "", "6:9 policy.custom[0].settings"),
        ("a", "/allow", "6:16 policy.custom[0].settings.allow"),
        ("a", "/allow/1", "6:20 policy.custom[0].settings.allow[1]"),
        ("a", "/allow/2", "6:16 policy.custom[0].settings.allow"),
        ("a", "/s/a~1b", "7:18 policy.custom[0].settings.s.a/b"),
        ("a", "/deep/0/x", "9:17 policy.custom[0].settings.deep[0].x"),
        ("a", "/none/x", "6:9 policy.custom[0].settings"),
        ("b", "/x", "10:7 policy.custom[1]"),
    ] {
        let place = layer.place_of_setting(spec(policy), pointer).unwrap();
        assert_eq!(format!("{} {}", place.to_string().replace("~/.mcp/config.yaml:", ""), place.key()), expected);
    }
    assert_eq!(layer.place_of_setting(spec("score"), "/min_score"), None);
}
