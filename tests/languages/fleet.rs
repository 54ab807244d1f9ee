//! The rules of a fleet: thirty policies in two layers, in every language that can be made here.

use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering;
use std::thread;

use serde_json::Value;
use serde_json::json;

use crate::bed::TestBed;
use crate::made::all;
use crate::made::say;

/// Policies of the fleet. The first half belongs to the administrator.
const POLICIES: usize = 30;

/// Starts at the same time; each compiles every component.
const AT_ONCE: usize = 2;

fn host(policy: usize) -> String {
    format!("host-{policy}.example")
}

/// The name of a policy, and its layer. Both layers use the same names.
fn place(policy: usize) -> (String, &'static str) {
    let half = POLICIES / 2;
    (format!("rule-{:02}", policy % half), if policy < half { "added" } else { "user" })
}

/// Each policy allows every host but its own.
fn fleet() -> TestBed {
    let bed = TestBed::new();
    let made = all();
    let registry = bed.path("registry");
    let mut texts =
        [format!("registry_url: {}\nstart_timeout: 1h\n", registry.display()), "start_timeout: 1h\n".to_owned()];
    texts.iter_mut().for_each(|text| text.push_str("policy:\n  custom:\n"));
    for policy in 0..POLICIES {
        let (name, layer) = place(policy);
        let component = &made[policy % made.len()].component;
        let allow: Vec<_> = (0..POLICIES).filter(|other| *other != policy).map(host).collect();
        texts[usize::from(layer == "user")].push_str(&format!(
            "    - {{name: {name}, source: {}, settings: {}}}\n",
            component.display(),
            json!({"allow": allow})
        ));
    }
    bed.write("added/config.yaml", &texts[0]);
    bed.configure(&texts[1]);
    bed
}

/// Judges a package that asks for these hosts; returns the policies that object, with their layers and messages.
fn objections(bed: &TestBed, file: &str, hosts: &[String]) -> Vec<(String, String, String)> {
    let permissions = json!({"network": hosts, "filesystem_read": [], "filesystem_write": [], "environment": [],
        "subprocess": false});
    bed.write(file, json!({ "permissions": permissions }).to_string());
    let run = bed
        .smcp(&format!("--json policy eval --facts {file}"))
        .env("SMCP_SYSTEM_CONFIG", bed.path("added/config.yaml"));
    let document = run.run().document();
    let policies = document["policies"].as_array().unwrap();
    assert_eq!(policies.len(), POLICIES + 6, "and the three built-in ones of each layer");
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let objecting = policies.iter().filter(|policy| policy["outcome"] != "pass");
    objecting.map(|it| (text(&it["name"]), text(&it["layer"]), text(&it["findings"][0]["message"]))).collect()
}

fn objection(policy: usize) -> (String, String, String) {
    let (name, layer) = place(policy);
    (name, layer.to_owned(), format!("the server asks for {}, which is not allowed", host(policy)))
}

#[test]
fn a_violation_names_its_policy_and_layer_one_after_the_other_and_all_at_once() {
    let languages: Vec<_> = all().iter().map(|made| made.name).collect();
    say(&format!("fleet: {POLICIES} policies in two layers, of {}", languages.join(", ")));
    let bed = fleet();
    let everything: Vec<_> = (0..POLICIES).map(host).collect();
    assert_eq!(objections(&bed, "all.json", &everything), (0..POLICIES).map(objection).collect::<Vec<_>>());
    assert_eq!(objections(&bed, "none.json", &[]), []);
    let next = AtomicUsize::new(0);
    thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                loop {
                    let policy = next.fetch_add(1, Ordering::Relaxed);
                    if policy >= POLICIES {
                        break;
                    }
                    let found = objections(&bed, &format!("{policy}.json"), &[host(policy)]);
                    assert_eq!(found, [objection(policy)]);
                }
            });
        }
    });
}
