//! What the forms of a comparison say, with hostile names in every field.

use super::*;
use smcp_model::diff::Judgement;
use smcp_model::diff::PolicyStanding;

/// Text that is a tag, an attribute, a script, an escape, a change of direction and a link, in turn.
const HOSTILE: &str =
    "<script>alert(1)</script>\"' onload=x &lt; </style>{{7*7}}\u{1b}[2J\u{202e}[a](https://evil.example)";

struct Held(Vec<ChangedPackage>);

impl Changes for Held {
    fn each(&mut self, visit: &mut dyn FnMut(&ChangedPackage) -> io::Result<()>) -> io::Result<()> {
        self.0.iter().try_for_each(visit)
    }
}

fn judgement(effect: Effect, codes: &[&str]) -> Judgement {
    let codes: Vec<_> = codes.iter().map(|code| SafeText::new(code)).collect();
    let policies = vec![
        (LayerName::System, "origin".parse().unwrap(), PolicyStanding { effect: Effect::Pass, codes: Vec::new() }),
        (LayerName::User, "score".parse().unwrap(), PolicyStanding { effect, codes }),
    ];
    Judgement { effect, refusal: None, policies }
}

fn change(name: &str, from: Effect, to: Effect) -> ChangedPackage {
    let codes = |effect: Effect| if effect == Effect::Pass { vec![] } else { vec!["score-below-minimum"] };
    let (from, to) = (judgement(from, &codes(from)), judgement(to, &codes(to)));
    ChangedPackage::between(SafeText::new(name), &from, &to).unwrap()
}

fn every_change() -> Vec<ChangedPackage> {
    let pairs = Effect::ALL.into_iter().flat_map(|from| Effect::ALL.map(|to| (from, to)));
    let different = pairs.filter(|(from, to)| from != to).enumerate();
    different.map(|(number, (from, to))| change(&format!("acme/tool-{number}@1.0.0"), from, to)).collect()
}

/// Every field that has text from outside has the same.
fn hostile() -> Vec<ChangedPackage> {
    let (from, mut to) = (judgement(Effect::Pass, &[]), judgement(Effect::Block, &[HOSTILE]));
    to.refusal = Some(SafeText::new(HOSTILE));
    let mut changed = ChangedPackage::between(SafeText::new(HOSTILE), &from, &to).unwrap();
    (changed.times, changed.last) = (Some(3), Some(SafeText::new(HOSTILE)));
    vec![changed]
}

/// Writes all forms of a comparison.
fn written(changes: Vec<ChangedPackage>, name: &str) -> [String; 4] {
    let mut totals = Totals::default();
    changes.iter().for_each(|changed| totals.changed(changed));
    totals.unchanged(Effect::Warn);
    let name = SafeText::new(name);
    let report = DiffReport { from: &name, to: &name, catalogue: &name, totals: &totals };
    let mut held = Held(changes);
    let mut texts = [(); 4].map(|()| Vec::new());
    human(&report, &mut held, &mut texts[0], &Style::default()).unwrap();
    json(&report, &mut held, &mut texts[1]).unwrap();
    crate::sarif::changes(&report, &mut held, &|_| None, 0, &mut texts[2]).unwrap();
    html(&report, &mut held, &mut texts[3]).unwrap();
    texts.map(|text| String::from_utf8(text).unwrap())
}

#[test]
fn every_change_has_its_line() {
    let [human, json, sarif, html] = written(every_change(), "smcp.yaml");
    insta::assert_snapshot!("human", human);
    let pretty = |text: &str| {
        let value: Value = serde_json::from_str(text).unwrap();
        serde_json::to_string_pretty(&value).unwrap().replace(env!("CARGO_PKG_VERSION"), "VERSION")
    };
    insta::assert_snapshot!("json", pretty(&json));
    insta::assert_snapshot!("sarif", pretty(&sarif));
    let body = html.split_once("</head>").unwrap().1.split_once("<script>").unwrap().0;
    insta::assert_snapshot!("html", body.replace(env!("CARGO_PKG_VERSION"), "VERSION"));
}

#[test]
fn nothing_hostile_reaches_a_terminal_or_is_markup() {
    for text in written(hostile(), HOSTILE) {
        assert!(!text.contains(['\u{1b}', '\u{202e}']), "{text}");
    }
    let [_, _, sarif, html] = written(hostile(), HOSTILE);
    // Readers make links of messages, and of nothing else.
    let texts = sarif.split("\"text\":\"").skip(1).map(|rest| rest.split("\"}").next().unwrap());
    assert!(texts.clone().count() > 2 && texts.clone().all(|text| !text.contains("[a](https")), "{sarif}");
    let own = html::without_own_parts(&html);
    assert!(!own.contains("<script>alert") && !own.contains("</style>{{"), "{own}");
    // Every tag is one of ours, and has no attribute of theirs.
    let names = own.split('<').skip(1).map(|rest| rest.split([' ', '>', '/']).find(|name| !name.is_empty()).unwrap());
    let ours = "!DOCTYPE a b body caption code dd details div dl dt h1 h2 head html input label li link meta option p rect \
                script select span style summary svg table tbody td th thead title tr ul";
    let unknown: Vec<_> = names.filter(|name| !ours.split(' ').any(|known| known == *name)).collect();
    assert_eq!(unknown, Vec::<&str>::new(), "{own}");
    assert!(!own.contains(" onload=x>") && !own.contains("\"' onload"), "{own}");
}

#[test]
fn nothing_changes_in_a_few_words() {
    let [human, json, _, html] = written(Vec::new(), "smcp.yaml");
    assert_eq!(human, "0 of 1 packages change\n");
    assert!(json.ends_with(",\"changes\":[]}\n"), "{json}");
    assert!(html.contains("<h1>0 of 1 packages change</h1>"), "{html}");
}
