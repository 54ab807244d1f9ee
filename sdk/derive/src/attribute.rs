//! Reads the attributes `#[setting(…)]`.

use proc_macro2::TokenStream;
use quote::quote;
use syn::Attribute;
use syn::Error;
use syn::Ident;
use syn::Lit;
use syn::LitInt;
use syn::LitStr;
use syn::Result;
use syn::Token;
use syn::meta::ParseNestedMeta;
use syn::parse::ParseStream;
use syn::token;

/// The attributes of one field or variant.
#[derive(Default)]
pub(crate) struct Said {
    /// A name other than Rust's.
    pub(crate) name: Option<String>,
    /// The value when the key is absent, as JSON.
    pub(crate) default: Option<String>,
    /// Calls of the methods that narrow a shape.
    pub(crate) narrowed: TokenStream,
}

/// Reads the attributes; a word that is not in `allowed` is an error.
pub(crate) fn read(attributes: &[Attribute], allowed: &[&str]) -> Result<Said> {
    let mut said = Said::default();
    let mut seen: Vec<String> = Vec::new();
    for attribute in attributes.iter().filter(|attribute| attribute.path().is_ident("setting")) {
        attribute.parse_nested_meta(|meta| {
            let word = meta.path.get_ident().map(ToString::to_string).unwrap_or_default();
            if !allowed.contains(&word.as_str()) {
                return Err(meta.error(format!("unknown here, allowed is {}", allowed.join(", "))));
            }
            if seen.contains(&word) {
                return Err(meta.error("said twice"));
            }
            seen.push(word.clone());
            one(&meta, &word, &mut said)
        })?;
    }
    Ok(said)
}

/// Refuses attributes where there can be none.
pub(crate) fn none(attributes: &[Attribute], instead: &str) -> Result<()> {
    match attributes.iter().find(|attribute| attribute.path().is_ident("setting")) {
        Some(attribute) => Err(Error::new_spanned(attribute, instead)),
        None => Ok(()),
    }
}

fn one(meta: &ParseNestedMeta<'_>, word: &str, said: &mut Said) -> Result<()> {
    let value = meta.value()?;
    match word {
        "name" => said.name = Some(value.parse::<LitStr>()?.value()),
        "default" => said.default = Some(json(value)?),
        "range" => {
            let [from, to] = range(value)?.map(|bound| match bound {
                Some(bound) => quote!(::core::option::Option::Some(#bound)),
                None => quote!(::core::option::Option::None),
            });
            said.narrowed.extend(quote!(.with_range(#from, #to)));
        }
        _ => {
            let [from, to] = range(value)?;
            let (from, to) =
                (from.unwrap_or_else(|| quote!(0)), to.unwrap_or_else(|| quote!(::core::primitive::u32::MAX)));
            said.narrowed.extend(quote!(.with_length(#from, #to)));
        }
    }
    Ok(())
}

/// Reads `1..=3`, `1..` or `..=3`.
fn range(input: ParseStream<'_>) -> Result<[Option<TokenStream>; 2]> {
    let from = if input.peek(Token![..]) { None } else { Some(number(input)?) };
    if input.peek(Token![..=]) {
        input.parse::<Token![..=]>()?;
        return Ok([from, Some(number(input)?)]);
    }
    let dots = input.parse::<Token![..]>()?;
    if from.is_none() || !(input.is_empty() || input.peek(Token![,])) {
        return Err(Error::new_spanned(dots, "write `FROM..=TO`, `FROM..` or `..=TO`, both bounds inclusive"));
    }
    Ok([from, None])
}

fn number(input: ParseStream<'_>) -> Result<TokenStream> {
    let minus = input.parse::<Option<Token![-]>>()?;
    let number = input.parse::<LitInt>()?;
    Ok(quote!(#minus #number))
}

/// Reads a JSON value from Rust's tokens, and writes it as JSON.
fn json(input: ParseStream<'_>) -> Result<String> {
    if input.peek(token::Bracket) {
        let items;
        syn::bracketed!(items in input);
        let items = items.parse_terminated(json, Token![,])?;
        return Ok(format!("[{}]", Vec::from_iter(items).join(",")));
    }
    if input.peek(token::Brace) {
        let entries;
        syn::braced!(entries in input);
        let entries = entries.parse_terminated(entry, Token![,])?;
        return Ok(format!("{{{}}}", Vec::from_iter(entries).join(",")));
    }
    if input.peek(Ident) {
        let word = input.parse::<Ident>()?;
        return if word == "null" { Ok("null".to_owned()) } else { Err(not_json(&word)) };
    }
    let minus = input.parse::<Option<Token![-]>>()?;
    let literal = input.parse::<Lit>()?;
    if let Lit::Int(number) = &literal
        && number.suffix().is_empty()
    {
        return Ok(format!("{}{}", if minus.is_some() { "-" } else { "" }, number.base10_digits()));
    }
    if let (Lit::Str(text), None) = (&literal, minus) {
        return Ok(string(&text.value()));
    }
    if let (Lit::Bool(value), None) = (&literal, minus) {
        return Ok(value.value.to_string());
    }
    Err(not_json(&literal))
}

fn entry(input: ParseStream<'_>) -> Result<String> {
    let key = input.parse::<LitStr>()?.value();
    input.parse::<Token![:]>()?;
    Ok(format!("{}:{}", string(&key), json(input)?))
}

fn not_json(found: &impl quote::ToTokens) -> Error {
    Error::new_spanned(found, "a default is JSON: a whole number, a text, true, false, null, [...] or {...}")
}

fn string(text: &str) -> String {
    let mut json = "\"".to_owned();
    for character in text.chars() {
        match character {
            '"' | '\\' => json.extend(['\\', character]),
            '\0'..='\u{1f}' => json.push_str(&format!("\\u{:04x}", u32::from(character))),
            _ => json.push(character),
        }
    }
    json.push('"');
    json
}
