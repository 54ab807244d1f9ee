//! What is found for policies of every kind: here a policy is a function.

use serde_json::json;

use super::*;
use smcp_model::facts::Facts;
use smcp_model::facts::Origin;
use smcp_model::facts::Score;
use smcp_model::facts::SeverityCounts;
use smcp_model::manifest::Permissions;

fn subject() -> Subject {
    Subject {
        facts: Facts {
            origin: Some(Origin::Community),
            score: Score::new(35_u64),
            findings: Some(SeverityCounts { critical: 0, high: 3, medium: 4, low: 2 }),
            ..Facts::default()
        },
        permissions: Some(Permissions {
            network: ["a.example.com", "evil.example.net", "b.example.com", "*"].map(str::to_owned).to_vec(),
            ..Permissions::default()
        }),
        ..Subject::default()
    }
}

fn found(hints: &Value, most: usize, policy: impl Fn(&Subject) -> usize) -> PassingFacts {
    let mut ask = |subjects: &[Subject]| subjects.iter().map(&policy).collect();
    let found = passing(&subject(), &[], &Hints::of(hints), most, &mut ask);
    if let Some(change) = &found.change {
        assert_eq!(policy(&changed(&subject(), change)), 0, "what is found passes: {change:?}");
    }
    found
}

/// Returns a change as `fact: from → to`.
fn said(found: &PassingFacts) -> Vec<String> {
    let said = |it: &OtherFact| format!("{}: {} → {}", it.fact.as_str(), it.from.clone().unwrap_or_default(), it.to);
    found.change.as_ref().map(|change| change.iter().map(said).collect()).unwrap_or_default()
}

fn score(subject: &Subject) -> u8 {
    subject.facts.score.map_or(0, Score::get)
}

#[test]
fn one_fact_gets_the_nearest_value_that_passes() {
    let none = json!({});
    let of = |policy: &dyn Fn(&Subject) -> usize| said(&found(&none, 5000, policy));
    assert_eq!(of(&|it| usize::from(score(it) < 80)), ["score: 35 → 80"]);
    assert_eq!(of(&|it| usize::from(score(it) > 20)), ["score: 35 → 20"]);
    assert_eq!(
        of(&|it| usize::from(!matches!(it.facts.origin, Some(Origin::Official)))),
        ["origin: \"community\" → \"official\""]
    );
    assert_eq!(
        of(&|it| usize::from(it.facts.cert_level.is_none_or(|level| level.get() < 2))),
        ["cert_level: null → 2"]
    );
    assert_eq!(of(&|it| usize::from(it.facts.findings.is_none_or(|it| it.high > 1))), ["findings.high: 3 → 1"]);
    assert_eq!(of(&|it| usize::from(it.transport.is_none())), ["transport: null → \"stdio\""]);
}

#[test]
fn a_list_loses_only_what_is_objected_to() {
    let bad = |it: &Subject| {
        let hosts = it.permissions.iter().flat_map(|it| &it.network);
        hosts.filter(|host| !host.ends_with(".example.com")).count()
    };
    let all = r#"["a.example.com","evil.example.net","b.example.com","*"]"#;
    let kept = r#"["a.example.com","b.example.com"]"#;
    assert_eq!(said(&found(&json!({}), 5000, bad)), [format!("permissions.network: {all} → {kept}")]);
}

/// Returns which of these hosts are kept where a policy passes some lists of them, and what is found.
fn of_hosts(hosts: &[String], most: usize, policy: impl Fn(&[String]) -> bool) -> (Vec<String>, PassingFacts) {
    let permissions = Permissions { network: hosts.to_vec(), ..Permissions::default() };
    let asking = Subject { permissions: Some(permissions), ..subject() };
    let objects = |it: &Subject| usize::from(!policy(it.permissions.as_ref().map_or(&[], |it| &it.network)));
    let mut ask = |all: &[Subject]| all.iter().map(objects).collect();
    let found = passing(&asking, &["permissions.network".to_owned()], &Hints::default(), most, &mut ask);
    let changed = changed(&asking, found.change.as_ref().unwrap());
    assert_eq!(objects(&changed), 0);
    (changed.permissions.unwrap().network, found)
}

#[test]
fn a_list_of_thousands_loses_only_what_is_objected_to() {
    let host = |at: usize, bad: bool| format!("h{at}.{}", if bad { "example.net" } else { "corp.example" });
    let passes = |all: &[String]| all.iter().all(|host| host.ends_with(".corp.example"));
    let good =
        |all: &[String]| -> Vec<String> { all.iter().filter(|it| it.ends_with("corp.example")).cloned().collect() };
    for (what, length, is_bad, most) in [
        ("one", 3000, (|at| at == 1700) as fn(usize) -> bool, 100),
        ("a few, and each alone", 3000, |at| at % 500 == 7, 300),
        ("the first and the last", 3000, |at| at == 0 || at == 2999, 200),
        ("every second", 6000, |at| at % 2 == 0, 3500),
        ("all but one", 3000, |at| at != 4, 3500),
        ("all", 3000, |_| true, 3500),
    ] {
        let hosts: Vec<String> = (0..length).map(|at| host(at, is_bad(at))).collect();
        let (kept, found) = of_hosts(&hosts, 5000, passes);
        assert_eq!(kept, good(&hosts), "{what}");
        assert!(found.asked < most && !found.is_cut, "{what}: {}", found.asked);
    }
    // What passes alone does not have to with the others.
    let hosts: Vec<String> = (0..1000).map(|at| host(at, false)).collect();
    let (kept, found) = of_hosts(&hosts, 5000, |all| all.len() <= 5);
    assert_eq!((kept.len(), found.is_cut), (5, false));
    // The same name more than once, and only some of them.
    let same = vec![host(1, false); 100];
    let (kept, _) = of_hosts(&same, 5000, |all| all.len() < 100);
    assert_eq!(kept.len(), 99);
}

#[test]
fn a_list_of_which_not_all_could_be_tried_passes_and_says_so() {
    let hosts: Vec<String> = (0..6000).map(|at| format!("h.x{at}")).collect();
    let is_bad = |host: &String| host.len().is_multiple_of(2) || host.ends_with(['1', '3', '5', '7', '9']);
    let (kept, found) = of_hosts(&hosts, 1000, |all| !all.iter().any(is_bad));
    assert!(found.is_cut && found.asked == 1000 && !kept.is_empty(), "{} {}", found.asked, kept.len());
    // Those that take a question each come last.
    let host = |at| format!("h{at}.{}", if at % 2 == 0 { "example.net" } else { "a.com" });
    for bad in [".net", ".com"] {
        let hosts: Vec<String> = (0..6000).map(host).collect();
        let (kept, found) = of_hosts(&hosts, 1500, |all| !all.iter().any(|host| host.ends_with(bad)));
        assert!(kept.len() > 2900 && found.is_cut && found.asked == 1500, "{bad}: {} {}", kept.len(), found.asked);
    }
}

#[test]
fn several_facts_are_found_however_the_policy_reports() {
    let low = |it: &Subject| usize::from(score(it) < 80);
    let level = |it: &Subject| usize::from(it.facts.cert_level.is_none_or(|level| level.get() < 2));
    let origin = |it: &Subject| usize::from(!matches!(it.facts.origin, Some(Origin::Verified | Origin::Official)));
    let expected = ["origin: \"community\" → \"verified\"", "cert_level: null → 2", "score: 35 → 80"];
    // All at once, and only the first.
    assert_eq!(said(&found(&json!({}), 5000, |it| low(it) + level(it) + origin(it))), expected);
    assert_eq!(said(&found(&json!({}), 5000, |it| (low(it) + level(it) + origin(it)).min(1))), expected);
}

#[test]
fn words_and_numbers_of_the_settings_are_tried() {
    let own = |it: &Subject| usize::from(it.facts.origin != Some(Origin::Other("in-house".to_owned())));
    assert_eq!(
        said(&found(&json!({"allow": [{"x": "in-house"}]}), 5000, own)),
        ["origin: \"community\" → \"in-house\""]
    );
    let none = found(&json!({}), 5000, own);
    assert_eq!((none.change, none.is_cut), (None, false));
    let many = |it: &Subject| usize::from(it.facts.findings.is_none_or(|it| it.low != 1000));
    assert_eq!(said(&found(&json!([1000]), 5000, many)), ["findings.low: 2 → 1000"]);
}

#[test]
fn what_never_passes_ends_at_the_bound() {
    let never = found(&json!({}), 5000, |_| 1);
    assert_eq!(never.change, None);
    assert!(!never.is_cut && never.asked < 2000, "{never:?}");
    let cut = found(&json!({}), 100, |it| usize::from(score(it) < 100));
    assert_eq!((cut.change, cut.asked, cut.is_cut), (None, 100, true));
    // Who is asked may end it, too.
    let mut left = 10_usize;
    let mut ask = |subjects: &[Subject]| {
        let answered = subjects.len().min(left);
        left -= answered;
        vec![1; answered]
    };
    let ended = passing(&subject(), &[], &Hints::default(), 5000, &mut ask);
    assert_eq!((ended.change, ended.asked, ended.is_cut), (None, 10, true));
}

#[test]
fn what_a_finding_names_is_tried_first() {
    let first = |named: &[&str]| {
        let mut seen = Vec::new();
        let mut ask = |subjects: &[Subject]| {
            seen.extend(subjects.first().cloned());
            vec![0; subjects.len()]
        };
        let named: Vec<String> = named.iter().map(|it| (*it).to_owned()).collect();
        passing(&subject(), &named, &Hints::default(), 5000, &mut ask).change.unwrap().remove(0).fact
    };
    assert_eq!(first(&[]), Fact::Origin);
    assert_eq!(first(&["score"]), Fact::Score);
    assert_eq!(first(&["cert-level"]), Fact::CertLevel);
    assert_eq!(first(&["permissions"]), Fact::Network);
    assert_eq!(first(&["\u{1b}"]), Fact::Origin);
}

#[test]
fn changes_unite_to_the_stricter_one() {
    let change = |fact, to: Value| OtherFact { fact, from: None, to };
    let all = [change(Fact::Score, json!(60)), change(Fact::Score, json!(90)), change(Fact::CertLevel, json!(1))];
    let united = united(&subject(), &Hints::default(), all.iter());
    assert_eq!(united, [change(Fact::CertLevel, json!(1)), change(Fact::Score, json!(90))]);
}

#[test]
fn all_that_becomes_known_with_one_fact_is_said() {
    let unknown = Subject { facts: Facts { findings: None, ..subject().facts }, ..subject() };
    let mut ask = |all: &[Subject]| all.iter().map(|it| usize::from(it.facts.findings.is_none())).collect();
    let found = passing(&unknown, &["findings".to_owned()], &Hints::of(&json!({})), 5000, &mut ask);
    let expected = ["critical", "high", "medium", "low"].map(|word| format!("findings.{word}: null → 0"));
    assert_eq!(said(&found), expected);
}
