//! Ways through a tree: by indices, and by a JSON pointer.

use crate::YamlNode;

/// Returns the node that `steps` lead to. A step is the index of an item in a list, or of an entry in a map, whose
/// value is meant.
pub fn below<'n>(root: &'n YamlNode, steps: &[usize]) -> Option<&'n YamlNode> {
    steps.iter().try_fold(root, |node, step| match node {
        YamlNode::List(items) => items.get(*step),
        YamlNode::Map(entries) => entries.get(*step).map(|(_, value)| value),
        YamlNode::Null
        | YamlNode::Bool(_)
        | YamlNode::Integer(_)
        | YamlNode::Float(_)
        | YamlNode::Text(_)
        | YamlNode::Tagged(_) => None,
    })
}

/// Returns the steps of a JSON pointer (RFC 6901), each an index with its segment of the pointer. For an absent node
/// they end at the mapping or list that lacks it.
pub fn follow(root: &YamlNode, pointer: &str) -> Vec<(usize, String)> {
    let (mut node, mut steps) = (root, Vec::new());
    for segment in pointer.split('/').skip(1) {
        let segment = segment.replace("~1", "/").replace("~0", "~");
        let Some(index) = index_of(node, &segment) else { break };
        let Some(next) = below(node, &[index]) else { break };
        steps.push((index, segment));
        node = next;
    }
    steps
}

/// Returns the index of a map's entry with this key, or of a list's item with this number.
fn index_of(node: &YamlNode, segment: &str) -> Option<usize> {
    match node {
        YamlNode::List(items) => segment.parse().ok().filter(|index| *index < items.len()),
        YamlNode::Map(entries) => entries.iter().position(|(key, _)| match key {
            YamlNode::Text(text) => text == segment,
            YamlNode::Integer(number) => number.to_string() == segment,
            YamlNode::Bool(truth) => truth.to_string() == segment,
            YamlNode::Null | YamlNode::Float(_) | YamlNode::List(_) | YamlNode::Map(_) | YamlNode::Tagged(_) => false,
        }),
        YamlNode::Null
        | YamlNode::Bool(_)
        | YamlNode::Integer(_)
        | YamlNode::Float(_)
        | YamlNode::Text(_)
        | YamlNode::Tagged(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Bounds;
    use crate::parse;

    #[test]
    fn a_pointer_leads_as_far_as_the_tree_does() {
        let bounds = Bounds { document: "a test", expanded: 1_000, brackets: 10 };
        let tree = parse("a: {x/y: [1, {~z: 2}], 3: b}\nc: 1\n", &bounds).unwrap();
        let cases: [(&str, &[usize]); 10] = [
            ("", &[]),
            ("/a", &[0]),
            ("/a/x~1y", &[0, 0]),
            ("/a/x~1y/1/~0z", &[0, 0, 1, 0]),
            ("/a/3", &[0, 1]),
            ("/a/x~1y/7", &[0, 0]),
            ("/a/gone/1", &[0]),
            ("/c/0", &[1]),
            ("/d", &[]),
            ("no pointer", &[]),
        ];
        for (pointer, steps) in cases {
            let followed = follow(&tree, pointer);
            let indices: Vec<_> = followed.iter().map(|(index, _)| *index).collect();
            assert_eq!(indices, steps, "{pointer}");
            let segments: String = followed.iter().map(|(_, segment)| format!("/{segment}")).collect();
            assert!(pointer.replace("~1", "/").replace("~0", "~").starts_with(&segments), "{segments}");
            assert!(below(&tree, steps).is_some());
        }
        assert_eq!(below(&tree, &[1, 0]), None);
    }
}
