//! Configurations in the documents are valid.

use crate::bed::TestBed;
use crate::pages::of_today;

/// The mark of a block that is only one entry of a list, or not a configuration.
const NOT_A_CONFIGURATION: &str = "part";

#[test]
fn every_configuration_in_the_documents_is_accepted() {
    let mut wrong = Vec::new();
    let mut count = 0;
    for page in of_today() {
        for block in page.blocks() {
            if block.language() != "yaml" || block.is(NOT_A_CONFIGURATION) {
                continue;
            }
            count += 1;
            let bed = TestBed::new();
            // The first line of a file of another place says which it is.
            let policy = block.text.lines().next().and_then(|line| line.split_once("/policies.d/"));
            if let Some((_, name)) = policy {
                bed.write("config.yaml", "");
                bed.write(&format!("policies.d/{name}"), &block.text);
            } else {
                bed.write("config.yaml", &block.text);
            }
            // The components that a page names do not exist here, so the state of policies is not checked.
            let ran = bed.run("--config config.yaml config show");
            if ran.code != 0 {
                wrong.push(format!("{}:{}: {ran}", page.name, block.line));
            }
            if !block.text.contains("custom:") && policy.is_none() {
                bed.run("--config config.yaml config validate").succeeds();
            }
        }
    }
    assert!(count > 2, "{count} configurations were found");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
