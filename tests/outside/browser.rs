//! The page of `policy diff --html` in a browser: only its own script runs.

use std::fmt::Write as _;
use std::process::Command;

use serde_json::json;

use crate::bed::TestBed;

/// Markup, an attribute, a script and a change of direction, for every field that others write.
const HOSTILE: &str =
    "<img src=x onerror=document.title=1><script>document.title=2</script>\"' onload=x </style>\u{202e}";

/// A page loaded by a browser, as it is after its scripts, and what the browser said meanwhile.
fn loaded(bed: &TestBed, browser: &str, page: &str, width: u32) -> (String, String) {
    let profile = format!("--user-data-dir={}", bed.path("profile").display());
    let output = Command::new(browser)
        .args(["--headless", "--no-sandbox", "--disable-gpu", "--dump-dom", "--enable-logging=stderr", &profile])
        .arg(format!("--window-size={width},800"))
        .arg(format!("file://{}", bed.path(page).display()))
        .env("HOME", bed.path("browser"))
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    (String::from_utf8(output.stdout).unwrap(), String::from_utf8_lossy(&output.stderr).into_owned())
}

fn browser() -> Option<&'static str> {
    let found = ["chromium", "chromium-browser", "google-chrome"].into_iter();
    let mut found = found.filter(|name| Command::new(name).arg("--version").output().is_ok());
    found.next()
}

/// A page of so many packages, all of whose names are hostile.
fn page(count: usize) -> TestBed {
    let bed = TestBed::new();
    bed.write("old.yaml", "policy: {min_score: 0}\n");
    bed.write("new.yaml", "policy: {min_score: 80}\n");
    let mut catalogue = String::new();
    for number in 0..count {
        let package = json!({"org": HOSTILE, "name": format!("{number}{HOSTILE}"), "version": HOSTILE, "score": 50});
        writeln!(catalogue, "{package}").unwrap();
    }
    bed.write("catalogue.jsonl", catalogue);
    bed.run("policy diff --from old.yaml --to new.yaml --catalog catalogue.jsonl --html page.html").succeeds();
    bed
}

#[test]
fn a_page_runs_its_own_script_and_nothing_of_others() {
    let Some(browser) = browser() else {
        eprintln!("skipped: there is no Chromium on this machine (`apt-get install chromium`)");
        return;
    };
    let bed = page(3);
    for width in [375, 1280] {
        let (shown, said) = loaded(&bed, browser, "page.html", width);
        assert!(
            shown.contains(">3 of 3 shown<") && shown.contains("<button type=\"button\">package</button>"),
            "{shown}"
        );
        assert!(shown.contains("3 of 3 packages change</title>"), "{shown}");
        assert!(!shown.contains("<img") && !said.contains("CONSOLE"), "{said}");
    }
    // A script that somebody adds to it is not one that its policy names.
    let added = "<script>document.title = 'run'</script><img src=x onerror=\"document.title = 'run'\">";
    bed.write("page.html", bed.read("page.html").replace("<h1>", &format!("{added}<h1>")));
    let (shown, said) = loaded(&bed, browser, "page.html", 1280);
    assert!(shown.contains("3 of 3 packages change</title>") && shown.contains(">3 of 3 shown<"), "{shown}");
    assert!(said.contains("Content Security Policy"), "{said}");
}

#[test]
fn ten_thousand_packages_are_a_page() {
    let Some(browser) = browser() else {
        eprintln!("skipped: there is no Chromium on this machine (`apt-get install chromium`)");
        return;
    };
    let (shown, said) = loaded(&page(10_000), browser, "page.html", 375);
    assert!(shown.contains(">10000 of 10000 shown<"), "{said}");
}
