//! Lists what the program carries for `policy new`.
//!
//! That is the templates, and the SDK with its interface.
//! Every file of their folders is taken, so that none can be forgotten; a test compares the lists with the tree.

#![expect(clippy::disallowed_methods, reason = "a build script reads the tree")]

use std::collections::BTreeSet;
use std::error::Error;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::path::PathBuf;

use toml_edit::DocumentMut;
use toml_edit::Item;
use toml_edit::Table;

/// Files of a template that lie elsewhere in the tree, because others use them too: its language, its name, its place.
const SHARED: [(&str, &str, &str); 9] = [
    ("c", "smcp_policy.h", "examples/languages/c/smcp_policy.h"),
    ("c", "text.c", "examples/languages/c/text.c"),
    ("c", "text.h", "examples/languages/c/text.h"),
    ("c", "wit/policy.wit", "wit/policy.wit"),
    ("go", "abi.go", "examples/languages/go/abi.go"),
    ("go", "wit/policy.wit", "wit/policy.wit"),
    ("javascript", "wit/policy.wit", "wit/policy.wit"),
    ("python", "requirements.txt", "examples/languages/python/requirements.txt"),
    ("python", "wit/policy.wit", "wit/policy.wit"),
];

/// What the tables of a package's dependencies end with, of all targets.
const DEPENDENCIES: &str = "dependencies";

fn main() -> Result<(), Box<dyn Error>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize()?;
    for place in ["host/author/templates", "sdk", "wit", "examples/languages", "Cargo.toml", "LICENSE"] {
        println!("cargo::rerun-if-changed={}", root.join(place).display());
    }
    let mut text = "pub(crate) static TEMPLATES: &[(&str, &str, &[u8])] = &[\n".to_owned();
    let templates = root.join("host/author/templates");
    for file in files(&templates)? {
        let name = file.strip_prefix(&templates)?.to_str().ok_or("a name is not UTF-8")?;
        let (language, name) = name.split_once('/').ok_or("a file beside the templates")?;
        writeln!(text, "    ({language:?}, {name:?}, include_bytes!({file:?})),")?;
    }
    for (language, name, place) in SHARED {
        writeln!(text, "    ({language:?}, {name:?}, include_bytes!({:?})),", root.join(place))?;
    }
    text.push_str("];\n\npub(crate) static VENDOR: &[(&str, &[u8])] = &[\n");
    let mut manifests = Vec::new();
    for package in packages(&root.join("sdk"))? {
        manifests.push(fs::read_to_string(package.join("Cargo.toml"))?);
        for file in files(&package)? {
            writeln!(text, "    ({:?}, include_bytes!({file:?})),", file.strip_prefix(&root)?)?;
        }
    }
    for name in ["wit/policy.wit", "LICENSE"] {
        writeln!(text, "    ({name:?}, include_bytes!({:?})),", root.join(name))?;
    }
    let out = PathBuf::from(std::env::var("OUT_DIR")?);
    let workspace = out.join("vendor.toml");
    fs::write(&workspace, vendor_workspace(&fs::read_to_string(root.join("Cargo.toml"))?, &manifests)?)?;
    writeln!(text, "    (\"Cargo.toml\", include_bytes!({workspace:?})),\n];")?;
    fs::write(out.join("carried.rs"), text)?;
    Ok(())
}

/// The folders of the SDK's crates.
fn packages(sdk: &Path) -> Result<Vec<PathBuf>, Box<dyn Error>> {
    let entries = fs::read_dir(sdk)?.map(|entry| Ok(entry?.path())).collect::<Result<BTreeSet<_>, std::io::Error>>()?;
    Ok(entries.into_iter().filter(|path| path.join("Cargo.toml").exists()).collect())
}

/// Every file below a folder, in the order of their names; what links lead to counts as being there.
fn files(folder: &Path) -> Result<BTreeSet<PathBuf>, Box<dyn Error>> {
    let mut found = BTreeSet::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        match path.is_dir() {
            true if path.ends_with("target") => {}
            true => found.extend(files(&path)?),
            false => {
                found.insert(path);
            }
        }
    }
    Ok(found)
}

/// The manifest of the vendored crates' own workspace: what they inherit from that of the repository, and no more.
fn vendor_workspace(root: &str, manifests: &[String]) -> Result<String, Box<dyn Error>> {
    let root: DocumentMut = root.parse()?;
    let mut inherited = BTreeSet::new();
    for manifest in manifests {
        let manifest: DocumentMut = manifest.parse()?;
        inherit(manifest.as_table(), &mut inherited);
    }
    let of = |key: &str| root.get("workspace").and_then(|workspace| workspace.get(key));
    let mut workspace = Table::new();
    workspace.insert("resolver", toml_edit::value("2"));
    workspace.insert("members", toml_edit::value(toml_edit::Array::from_iter(["sdk/*"])));
    for key in ["package", "lints"] {
        workspace.insert(key, of(key).ok_or("the workspace says nothing for its members")?.clone());
    }
    let mut dependencies = Table::new();
    for name in inherited {
        let item = of(DEPENDENCIES).and_then(|all| all.get(&name)).ok_or("a dependency is not the workspace's")?;
        dependencies.insert(&name, item.clone());
    }
    workspace.insert(DEPENDENCIES, Item::Table(dependencies));
    let mut document = DocumentMut::new();
    document.insert("workspace", Item::Table(workspace));
    let remark = "# What the crates of the SDK share. smcp wrote it with them.\n\n";
    Ok(format!("{remark}{document}"))
}

/// Collects the dependencies that are inherited, in every table of dependencies below this one.
fn inherit(table: &Table, inherited: &mut BTreeSet<String>) {
    for (key, item) in table {
        let Some(inner) = item.as_table() else { continue };
        if key.ends_with(DEPENDENCIES) {
            let names = inner.iter().filter(|(_, item)| item.get("workspace").is_some());
            inherited.extend(names.map(|(name, _)| name.to_owned()));
        } else {
            inherit(inner, inherited);
        }
    }
}
