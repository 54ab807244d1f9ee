//! What a registry says to whom it doesn't know: the header `www-authenticate`.

/// One way to say who asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Challenge {
    /// A name and a password with each request.
    Basic,
    /// A token of a service.
    Bearer {
        /// The service's URL, as the registry wrote it.
        realm: String,
        /// The name by which the service knows the registry.
        service: Option<String>,
    },
}

/// Reads the challenges in one header; ways that are not known, and ones without their parts, are left out.
pub(crate) fn parse(header: &str) -> Vec<Challenge> {
    let mut named: Vec<(String, Vec<(String, String)>)> = Vec::new();
    let mut rest = header;
    loop {
        rest = rest.trim_start_matches([' ', '\t', ',']);
        let end = rest.find([' ', '\t', ',', '=']).unwrap_or(rest.len());
        let (word, behind) = rest.split_at(end);
        if word.is_empty() {
            break;
        }
        let after = behind.trim_start_matches([' ', '\t']);
        match (after.strip_prefix('='), named.last_mut()) {
            (Some(value), Some((_, parameters))) => {
                let Some((value, behind)) = value_at(value.trim_start_matches([' ', '\t'])) else { break };
                parameters.push((word.to_ascii_lowercase(), value));
                rest = behind;
            }
            (Some(_), None) => break,
            (None, _) => {
                named.push((word.to_ascii_lowercase(), Vec::new()));
                rest = behind;
            }
        }
    }
    named.into_iter().filter_map(|(scheme, parameters)| challenge(&scheme, parameters)).collect()
}

/// Reads a value, in quotation marks or not; returns what follows it.
fn value_at(text: &str) -> Option<(String, &str)> {
    let Some(quoted) = text.strip_prefix('"') else {
        let (value, rest) = text.split_at(text.find([' ', '\t', ',']).unwrap_or(text.len()));
        return Some((value.to_owned(), rest));
    };
    let mut value = String::new();
    let mut letters = quoted.char_indices();
    while let Some((at, letter)) = letters.next() {
        match letter {
            '"' => return Some((value, quoted.get(at.saturating_add(1)..).unwrap_or_default())),
            '\\' => value.push(letters.next()?.1),
            letter => value.push(letter),
        }
    }
    None
}

fn challenge(scheme: &str, parameters: Vec<(String, String)>) -> Option<Challenge> {
    let named = |wanted: &str| parameters.iter().find(|(name, _)| name == wanted).map(|(_, value)| value.clone());
    match scheme {
        "basic" => Some(Challenge::Basic),
        "bearer" => Some(Challenge::Bearer { realm: named("realm")?, service: named("service") }),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bearer(realm: &str, service: Option<&str>) -> Challenge {
        Challenge::Bearer { realm: realm.to_owned(), service: service.map(str::to_owned) }
    }

    #[test]
    fn a_header_may_have_several_challenges() {
        let cases = [
            (
                r#"Bearer realm="https://a.example/token",service="r",scope="repository:a:pull,push""#,
                vec![bearer("https://a.example/token", Some("r"))],
            ),
            (r#"bearer REALM = "https://a.example/t" , service=r"#, vec![bearer("https://a.example/t", Some("r"))]),
            (
                r#"Basic realm="a, b", Bearer realm="https://a.example""#,
                vec![Challenge::Basic, bearer("https://a.example", None)],
            ),
            ("Basic", vec![Challenge::Basic]),
            (r#"Negotiate, Basic realm="\"x\"""#, vec![Challenge::Basic]),
            (r#"Bearer service="r""#, vec![]),
            (r#"Bearer realm="unfinished"#, vec![]),
            (r#"realm="x""#, vec![]),
            ("", vec![]),
            (",,,===", vec![]),
        ];
        for (header, expected) in cases {
            assert_eq!(parse(header), expected, "{header}");
        }
    }
}
