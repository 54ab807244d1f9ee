//! Configurations in the documents are valid.

use crate::bed::TestBed;
use crate::pages::of_today;

/// The mark of a block that is only one entry of a list, or not a configuration.
const NOT_A_CONFIGURATION: &str = "part";

/// The README shows what a wrong configuration leads to, as it was printed.
#[test]
fn the_error_in_the_readme_is_the_one_that_is_printed() {
    let readme = of_today().into_iter().find(|page| page.name == "README.md").unwrap();
    let shown =
        readme.blocks().into_iter().find(|block| block.text.contains("error: the configuration has 2 problems"));
    let bed = TestBed::new();
    bed.write(".mcp/config.yaml", "policy:\n  min_scor: 80\n  cert_mode: Strict\n");
    assert_eq!(bed.run("config validate").exits(1).stderr.trim_end(), shown.unwrap().text.trim_end());
}

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
