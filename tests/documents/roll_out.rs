//! Follows `docs/roll-out.md` on a machine where smcp was used before.

use std::fs;
use std::path::Path;

use serde_json::json;

use crate::bed::Package;
use crate::bed::ROOT;
use crate::bed::TestBed;
use crate::page::Reader;
use crate::page::shows;
use crate::pages::of_today;

const PAGE: &str = "docs/roll-out.md";
/// The last day of the exception on the page, and one that is still to come whenever this runs.
const UNTIL: [&str; 2] = ["2027-01-31", "2199-01-31"];

/// A machine before the first step of the page, and its reader.
fn machine() -> (TestBed, Reader) {
    let bed = TestBed::new();
    bed.write("rules/no_network.wasm", fs::read(format!("{ROOT}/examples/policies/dist/no_network.wasm")).unwrap());
    fs::create_dir(bed.path("rules/cases")).unwrap();
    for (reference, score, hosts) in [
        ("acme/files@1.0.0", 90, json!([])),
        ("acme/mail@1.4.0", 85, json!(["mail.example.com"])),
        ("acme/news@1.0.0", 85, json!(["news.example.com"])),
        ("acme/weather@2.1.0", 90, json!(["api.weather.example", "stats.example.net"])),
    ] {
        let asks = |manifest: &mut serde_json::Value| manifest["permissions"]["network"]["outbound"] = hosts;
        bed.publish(&Package::greeter(reference).manifest(asks).facts("verified", 2, score));
    }
    bed.configure("policy: {min_score: 60}\n");
    for used in ["files@1.0.0", "mail@1.4.0", "weather@2.1.0", "files@1.0.0", "weather@2.1.0"] {
        bed.run(&format!("policy check acme/{used}")).succeeds();
    }
    bed.run("policy check acme/gone@1.0.0").exits(2);
    let reader = Reader::of(&bed);
    (bed, reader)
}

#[test]
fn the_page_about_rolling_out_works_word_for_word() {
    let page = of_today().into_iter().find(|page| page.name == PAGE).unwrap();
    let (_bed, mut reader) = machine();
    let (mut printed, mut followed) = (None, 0);
    for block in page.blocks() {
        if let Some(file) = block.value("file") {
            reader.writes(file, &block.text.replace(UNTIL[0], UNTIL[1]));
        } else if block.is("run") {
            printed = Some(reader.runs(&block).replace(UNTIL[1], UNTIL[0]));
        } else if block.language() == "text" {
            shows(Path::new(PAGE), &block, &printed.take().unwrap());
            followed += 1;
        }
    }
    assert_eq!(followed, 9, "the page was followed");
}
