//! A registry that is gone, or says nothing.

use std::time::Duration;
use std::time::Instant;

use crate::bed;
use crate::server::Habits;
use crate::server::Registry;
use crate::server::Reply;
use crate::sets::RUN;
use crate::sets::archive;
use crate::sets::by_tag;
use crate::sets::grow_old;
use crate::sets::key;
use crate::sets::push;

#[test]
fn a_registry_that_is_gone_leaves_the_last_good_set() {
    let (bed, fresh, key) = (bed(), crate::bed(), key());
    let registry = Registry::start(Habits { referrers: true, ..Habits::default() });
    push(&bed, &registry, Some(&key), &archive(7), "1");
    for machine in [&bed, &fresh] {
        by_tag(machine, &registry, &key, "");
    }
    bed.run(RUN).succeeds();
    let stays = "version 7 stays in force, until";
    let gone = [
        Reply::with(503, &[], "down"),
        Reply::Cut(b"HTTP/1.1 200 OK\r\ncontent-length: 5000\r\n\r\n{".to_vec()),
        Reply::with(404, &[], ""),
        Reply::with(401, &[("www-authenticate", "Basic realm=\"r\"")], ""),
    ];
    for reply in gone {
        registry.script("GET /v2/company/rules/manifests/1", vec![reply.clone(); 64]);
        grow_old(&bed);
        bed.run(RUN).succeeds().prints("runs\n").says(&["can't be read: ", stays]);
        fresh
            .run(&format!("{RUN} --timeout 20s"))
            .refuses(2, &["can't be read: ", "nothing starts without a good set"]);
        bed.run("policy set pull").exits(2).says(&[stays]);
        registry.clear_scripts();
    }
    // One that says nothing is waited for as long as nobody notices.
    registry.script("GET /v2/company/rules/manifests/1", vec![Reply::Silence; 8]);
    grow_old(&bed);
    let began = Instant::now();
    bed.run(RUN).succeeds().prints("runs\n").says(&["it took longer than 2s", stays]);
    assert!(began.elapsed() < Duration::from_secs(20), "{:?}", began.elapsed());
    registry.clear_scripts();
    bed.run(RUN).succeeds().silent();
}
