//! `docs/wit.md`: the interface for readers, made from `wit/policy.wit`.

#![expect(clippy::indexing_slicing, reason = "the ids of an interface's parts lead to them, and cells are counted")]
#![expect(clippy::wildcard_enum_match_arm, reason = "what the page has no form for is an error, or shown by its kind")]

use std::fmt::Write as _;
use std::path::Path;

use anyhow::Context as _;
use wit_parser::Docs;
use wit_parser::Function;
use wit_parser::Interface;
use wit_parser::InterfaceId;
use wit_parser::Resolve;
use wit_parser::Type;
use wit_parser::TypeDef;
use wit_parser::TypeDefKind;
use wit_parser::World;
use wit_parser::WorldItem;

const SOURCE: &str = "wit/policy.wit";
const PAGE: &str = "docs/wit.md";

/// Writes the page.
pub(crate) fn write(root: &Path) -> anyhow::Result<()> {
    std::fs::write(root.join(PAGE), page(root)?).with_context(|| format!("`{PAGE}` can't be written"))
}

/// The text of the page.
fn page(root: &Path) -> anyhow::Result<String> {
    let text = std::fs::read_to_string(root.join(SOURCE)).with_context(|| format!("`{SOURCE}` can't be read"))?;
    let mut resolve = Resolve::default();
    let package = resolve.push_str(SOURCE, &text)?;
    let package = &resolve.packages[package];
    let mut page = format!(
        "# The interface `{}`\n\nMade from [`{SOURCE}`](../{SOURCE}) by `cargo xtask wit`; change that file and not this page.\nWhat \
         may change in a version, and what not, is at the end.\n\n{}",
        package.name,
        paragraph(&package.docs)
    );
    for world in package.worlds.values() {
        page.push_str(&world_section(&resolve, &resolve.worlds[*world]));
    }
    for interface in package.interfaces.values() {
        page.push_str(&interface_section(&resolve, &resolve.interfaces[*interface])?);
    }
    page.push_str(VERSIONS);
    Ok(page)
}

/// What a version number of the interface promises (spec sections 2 and 10).
const VERSIONS: &str = "\
## Versions

A component names the version that it was built for in its export, `smcp:policy/evaluator@0.1.0`, and smcp goes by that name.

- **Types never change within a version.** Types of the component model are structural: a field more, a case more or another
  name would break every component that exists. 0.1 grows by its `extensions`, and by what the manifest holds.
- **In 0.1.x may change**: the words of comments; names in `extensions`, which a policy that does not know them must ignore;
  limits, upwards, and their defaults (docs/config.md). No meaning changes, and no rule gets stricter.
- **A later version** is a folder of its own in `wit/` and a module of its own in smcp, which serves it beside this one: a
  component of 0.1 keeps working, unchanged, as long as smcp serves 0.1. Both are translated to the same request and the same
  verdict, so policies of different versions judge together.
- **A version that smcp does not know** is a fault of loading, which names the version found and those that are served.
";

fn paragraph(docs: &Docs) -> String {
    docs.contents.as_ref().map_or_else(String::new, |text| format!("{}\n\n", text.trim_end()))
}

/// A comment as the content of a cell.
fn cell(docs: &Docs) -> String {
    let text = docs.contents.as_deref().unwrap_or_default();
    text.split_whitespace().collect::<Vec<_>>().join(" ").replace('|', "\\|")
}

fn world_section(resolve: &Resolve, world: &World) -> String {
    let mut section = format!("## World `{}`\n\n{}", world.name, paragraph(&world.docs));
    for (what, items) in [("imports", &world.imports), ("exports", &world.exports)] {
        for item in items.values() {
            if let WorldItem::Interface { id, .. } = item {
                let name = interface_name(resolve, *id);
                let _infallible = writeln!(section, "- {what} [`{name}`](#interface-{name})");
            }
        }
    }
    section.push('\n');
    section
}

fn interface_name(resolve: &Resolve, id: InterfaceId) -> String {
    resolve.interfaces[id].name.clone().unwrap_or_default()
}

fn interface_section(resolve: &Resolve, interface: &Interface) -> anyhow::Result<String> {
    let name = interface.name.as_deref().context("an interface has a name")?;
    let mut section = format!("## Interface `{name}`\n\n{}", paragraph(&interface.docs));
    for function in interface.functions.values() {
        section.push_str(&function_section(resolve, function));
    }
    for id in interface.types.values() {
        section.push_str(&type_section(resolve, &resolve.types[*id])?);
    }
    Ok(section)
}

fn function_section(resolve: &Resolve, function: &Function) -> String {
    let parameters: Vec<_> =
        function.params.iter().map(|it| format!("{}: {}", it.name, type_name(resolve, &it.ty))).collect();
    let result = function.result.as_ref().map_or_else(String::new, |it| format!(" -> {}", type_name(resolve, it)));
    let signature = format!("{}: func({}){result}", function.name, parameters.join(", "));
    format!("### `{}`\n\n```wit\n{signature}\n```\n\n{}", function.name, paragraph(&function.docs))
}

fn type_section(resolve: &Resolve, definition: &TypeDef) -> anyhow::Result<String> {
    let name = definition.name.as_deref().context("a type of an interface has a name")?;
    let (kind, heads, rows): (_, _, Vec<[String; 3]>) = match &definition.kind {
        TypeDefKind::Record(record) => {
            let row = |it: &wit_parser::Field| [it.name.clone(), type_name(resolve, &it.ty), cell(&it.docs)];
            ("record", ["field", "type"], record.fields.iter().map(row).collect())
        }
        TypeDefKind::Variant(variant) => {
            let holds = |it: &Option<Type>| it.as_ref().map_or_else(String::new, |it| type_name(resolve, it));
            let row = |it: &wit_parser::Case| [it.name.clone(), holds(&it.ty), cell(&it.docs)];
            ("variant", ["case", "holds"], variant.cases.iter().map(row).collect())
        }
        TypeDefKind::Enum(words) => {
            let row = |it: &wit_parser::EnumCase| [it.name.clone(), String::new(), cell(&it.docs)];
            ("enum", ["word", ""], words.cases.iter().map(row).collect())
        }
        other => anyhow::bail!("`{name}` is a {}, which no page shows yet", other.as_str()),
    };
    let mut section = format!("### {kind} `{name}`\n\n{}", paragraph(&definition.docs));
    let has_types = rows.iter().any(|[_, second, _]| !second.is_empty());
    let columns = |cells: [&str; 3]| {
        let shown = if has_types { vec![cells[0], cells[1], cells[2]] } else { vec![cells[0], cells[2]] };
        format!("| {} |\n", shown.join(" | "))
    };
    section.push_str(&columns([heads[0], heads[1], "meaning"]));
    section.push_str(&columns(["---", "---", "---"]));
    for [first, second, meaning] in &rows {
        let second = if second.is_empty() { String::new() } else { format!("`{second}`") };
        section.push_str(&columns([&format!("`{first}`"), &second, meaning]));
    }
    section.push('\n');
    Ok(section)
}

/// A type as `wit` writes it.
fn type_name(resolve: &Resolve, of: &Type) -> String {
    let id = match of {
        Type::Id(id) => *id,
        Type::Bool => return "bool".to_owned(),
        Type::U8 => return "u8".to_owned(),
        Type::U32 => return "u32".to_owned(),
        Type::U64 => return "u64".to_owned(),
        Type::String => return "string".to_owned(),
        other => return format!("{other:?}").to_lowercase(),
    };
    let definition = &resolve.types[id];
    if let Some(name) = &definition.name {
        return name.clone();
    }
    match &definition.kind {
        TypeDefKind::Option(inner) => format!("option<{}>", type_name(resolve, inner)),
        TypeDefKind::List(inner) => format!("list<{}>", type_name(resolve, inner)),
        TypeDefKind::Tuple(tuple) => {
            let parts: Vec<_> = tuple.types.iter().map(|it| type_name(resolve, it)).collect();
            format!("tuple<{}>", parts.join(", "))
        }
        TypeDefKind::Result(result) => {
            let part = |it: &Option<Type>| it.as_ref().map_or_else(|| "_".to_owned(), |it| type_name(resolve, it));
            format!("result<{}, {}>", part(&result.ok), part(&result.err))
        }
        other => other.as_str().to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_is_made_from_the_interface_as_it_is() {
        let root = crate::root().unwrap();
        let shown = std::fs::read_to_string(root.join(PAGE)).unwrap();
        assert!(shown == page(&root).unwrap(), "{PAGE} is older than {SOURCE}: run `cargo xtask wit`");
        for part in [
            "### record `subject`",
            "| `cert-level` | `option<u8>` |",
            "### `check-settings`",
            "| `other` | `string` |",
        ] {
            assert!(shown.contains(part), "{part}");
        }
    }
}
