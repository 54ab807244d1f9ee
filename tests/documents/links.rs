//! Links within the repository lead to a file, and to a heading of it.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::fs;

use crate::pages::Page;
use crate::pages::all;

#[test]
fn every_link_within_the_repository_leads_somewhere() {
    let mut wrong = Vec::new();
    let mut count = 0;
    for page in all() {
        for (line, target) in links(&page) {
            count += 1;
            if let Err(why) = leads(&page, &target) {
                wrong.push(format!("{}:{line}: {target}: {why}", page.name));
            }
        }
    }
    assert!(count > 50, "{count} links were found");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// A path such as `policy/set.rs` is below the crate's `src`; one without a crate is anywhere in the host.
#[test]
fn every_source_file_that_the_map_and_the_threat_model_name_exists() {
    let root = std::path::Path::new(crate::bed::ROOT);
    let host = root.join("host");
    let crates: Vec<_> = fs::read_dir(&host).unwrap().map(|entry| entry.unwrap().path().join("src")).collect();
    let exists = |name: &str| {
        let below = name.split_once('/').is_some_and(|(krate, path)| host.join(krate).join("src").join(path).exists());
        let anywhere = crates.iter().any(|source| source.join(name).exists());
        below || anywhere || root.join(name).exists() || host.join("src").join(name).exists()
    };
    let mut count = 0;
    let mut wrong = Vec::new();
    for page in all()
        .into_iter()
        .filter(|page| page.name.ends_with("architecture.md") || page.name.ends_with("threat-model.md"))
    {
        for word in page.text.split('`').filter(|word| word.ends_with(".rs") && !word.contains([' ', '…', '*', '\n']))
        {
            count += 1;
            if !exists(word) {
                wrong.push(format!("{}: {word}", page.name));
            }
        }
    }
    assert!(count > 60, "{count} files were named");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Returns the targets of `[text](target)` inside the repository.
fn links(page: &Page) -> Vec<(usize, String)> {
    let of_line = |(number, line): (usize, &str)| {
        let targets = line.split("](").skip(1).filter_map(|rest| rest.split_once(')'));
        let targets = targets.map(|(target, _)| target.to_owned());
        targets.filter(|target| !target.contains("://")).map(|target| (number, target)).collect::<Vec<_>>()
    };
    page.prose().into_iter().flat_map(of_line).collect()
}

fn leads(page: &Page, target: &str) -> Result<(), String> {
    let (file, anchor) = target.split_once('#').map_or((target, None), |(file, anchor)| (file, Some(anchor)));
    let path = if file.is_empty() { page.path.clone() } else { page.path.parent().unwrap().join(file) };
    if !path.exists() {
        return Err("there is no such file".to_owned());
    }
    let Some(anchor) = anchor else { return Ok(()) };
    let text = fs::read_to_string(&path).map_err(|error| error.to_string())?;
    let there = anchors(&Page { name: String::new(), path, text });
    if there.contains(anchor) { Ok(()) } else { Err(format!("there is no such heading; there are {there:?}")) }
}

/// Returns the anchors of a page's headings, as the common hosts of repositories make them.
fn anchors(page: &Page) -> BTreeSet<String> {
    let mut seen = BTreeMap::<String, usize>::new();
    let headings = page.prose().into_iter().filter_map(|(_, line)| line.strip_prefix('#'));
    let names = headings.map(|line| {
        let name: String = line
            .trim_start_matches('#')
            .trim()
            .to_lowercase()
            .chars()
            .filter(|letter| letter.is_alphanumeric() || matches!(letter, ' ' | '-' | '_'))
            .map(|letter| if letter == ' ' { '-' } else { letter })
            .collect();
        let again = seen.entry(name.clone()).and_modify(|count| *count += 1).or_default();
        if *again == 0 { name } else { format!("{name}-{again}") }
    });
    names.collect()
}
