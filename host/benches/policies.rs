//! How long policies take to load and to judge: built-in ones, and one's own.
//!
//! `cargo bench`. Figures are for one machine and one moment; compare them within one run only.

#![expect(clippy::expect_used, reason = "a benchmark that can not run says so and stops")]

use std::hint::black_box;
use std::path::Path;

use criterion::Criterion;
use criterion::criterion_group;
use criterion::criterion_main;

use smcp_code::CodePlaces;
use smcp_code::CompiledStore;
use smcp_model::facts_document;
use smcp_model::policy::BuiltIn;
use smcp_model::policy::PolicySpec;
use smcp_model::request::Context;
use smcp_model::request::Request;
use smcp_model::verdict::Outcome;
use smcp_policy::Bound;
use smcp_policy::Component;
use smcp_policy::InProcess;
use smcp_policy::PolicyHost;
use smcp_policy::PolicySet;
use smcp_policy::request;

/// Settings under which the request below violates nothing.
const SETTINGS: [&str; 3] = [
    r#"{"allowed_origins":["official","verified"]}"#,
    r#"{"min_cert_level":2,"cert_score_check":"notice"}"#,
    r#"{"min_score":80,"warning_threshold":80}"#,
];

fn a_request() -> Request {
    let facts = br#"{"origin": "verified", "cert_level": 2, "score": 88, "status": "published"}"#;
    let subject = facts_document::read(facts, Path::new("/"), None).expect("the document is right");
    request::build(&subject, Context { evaluated_at: 1_800_000_000, trust: false, interactive: false }, true)
}

fn load(host: &PolicyHost) -> PolicySet {
    let bind = |(policy, settings)| {
        let settings = serde_json::from_str(settings).expect("the settings are JSON");
        Bound::new(PolicySpec::built_in(policy, settings), Ok(Component::built_in(policy))).expect("nothing is pinned")
    };
    PolicySet::load(host, BuiltIn::ALL.into_iter().zip(SETTINGS).map(bind))
}

/// What a launch pays once: the engine, three components, and three calls of `check-settings`.
fn cold_load(criterion: &mut Criterion) {
    criterion.bench_function("cold load of the three built-ins", |bencher| {
        bencher.iter(|| load(&PolicyHost::new().expect("a host")));
    });
}

/// What each decision pays: three fresh stores and instances, three calls of `evaluate`.
fn warm_evaluation(criterion: &mut Criterion) {
    let host = PolicyHost::new().expect("a host");
    let (set, request) = (load(&host), a_request());
    criterion.bench_function("warm evaluation of the three built-ins", |bencher| {
        bencher.iter(|| {
            let evaluated = set.evaluate(black_box(&request));
            assert!(evaluated.iter().all(|policy| matches!(policy.outcome, Outcome::Pass { .. })));
        });
    });
}

/// So many distinct components: the same one, each with a section of its own that means nothing.
fn components(count: u32) -> Vec<Component> {
    let score = include_bytes!("../../builtin-policies/dist/score.wasm");
    let own = |number: u32| [&score[..], &[0, 6, 1, b'n'], &number.to_le_bytes()].concat();
    (0..count).map(|number| Component::new(own(number))).collect()
}

fn places(folder: &Path) -> CodePlaces {
    let folder = folder.to_path_buf();
    CodePlaces {
        cache: Some(folder.join("cache")),
        key: Some(folder.join("home")),
        caller: smcp_authority::caller(),
        open: smcp_authority::open_dir,
        make: smcp_authority::create_dir,
        clock: smcp_authority::clock,
    }
}

/// What a start pays for policies of one's own once they are compiled: the store, their code, one call each. The
/// difference between the two, by ten, is what a further one costs.
fn warm_store(criterion: &mut Criterion) {
    let folder = tempfile::tempdir().expect("a folder");
    let request = a_request();
    let judge = |components: &[Component]| {
        let store = CompiledStore::new(places(folder.path()));
        let host = PolicyHost::with_store(InProcess, store).expect("a host");
        let bind = |component: &Component| {
            let settings = serde_json::json!({"min_score": 80});
            let spec = PolicySpec::file("score".parse().expect("a name"), "/score.wasm", settings);
            Bound::new(spec, Ok(component.clone())).expect("nothing is pinned")
        };
        let evaluated = PolicySet::load(&host, components.iter().map(bind)).evaluate(black_box(&request));
        assert!(evaluated.iter().all(|policy| matches!(policy.outcome, Outcome::Pass { .. })));
    };
    for count in [1, 11] {
        let components = components(count);
        judge(&components);
        criterion.bench_function(&format!("{count} of one's own, compiled before"), |bencher| {
            bencher.iter(|| judge(&components));
        });
    }
}

criterion_group!(benches, cold_load, warm_evaluation, warm_store);
criterion_main!(benches);
