//! Follows `docs/policy-cases.md` beside the component of the example.

use std::fs;
use std::path::Path;

use crate::bed::ROOT;
use crate::bed::TestBed;
use crate::page::Reader;
use crate::page::shows;
use crate::pages::of_today;

const PAGE: &str = "docs/policy-cases.md";

#[test]
fn the_page_about_cases_works_word_for_word() {
    let page = of_today().into_iter().find(|page| page.name == PAGE).unwrap();
    let bed = TestBed::new();
    bed.write("no_network.wasm", fs::read(format!("{ROOT}/examples/policies/dist/no_network.wasm")).unwrap());
    fs::create_dir(bed.path("cases")).unwrap();
    let mut reader = Reader::of(&bed);
    let (mut printed, mut followed) = (None, 0);
    for block in page.blocks() {
        if let Some(file) = block.value("file") {
            reader.writes(file, &block.text);
        } else if block.is("run") {
            printed = Some(reader.runs(&block));
        } else if block.language() == "text" {
            shows(Path::new(PAGE), &block, &printed.take().unwrap());
            followed += 1;
        }
    }
    assert_eq!(followed, 5, "the page was followed");
}
