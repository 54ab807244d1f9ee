//! Enums: one of several texts.

use std::collections::BTreeSet;

use proc_macro2::Ident;
use proc_macro2::TokenStream;
use quote::quote;
use syn::Error;
use syn::Result;
use syn::Variant;
use syn::ext::IdentExt as _;

use crate::attribute;
use crate::documentation;
use crate::implementation;

pub(crate) fn expand<'a>(
    ident: &Ident,
    description: &str,
    variants: impl Iterator<Item = &'a Variant>,
) -> Result<TokenStream> {
    let (mut choices, mut arms, mut names) = (Vec::new(), Vec::new(), BTreeSet::new());
    for (index, variant) in variants.enumerate() {
        if !variant.fields.is_empty() {
            return Err(Error::new_spanned(&variant.fields, "a variant of settings is a text, and holds no value"));
        }
        let said = attribute::read(&variant.attrs, &["name"])?;
        let name = said.name.unwrap_or_else(|| kebab_case(&variant.ident.unraw().to_string()));
        if !names.insert(name.clone()) {
            return Err(Error::new_spanned(variant, format!("two variants are written `{name}`")));
        }
        let description = documentation::of(&variant.attrs);
        let member = &variant.ident;
        choices.push(quote!(::smcp_policy_sdk::settings::Choice::new(#name, #description)));
        arms.push(quote!(#index => ::core::option::Option::Some(Self::#member)));
    }
    if choices.is_empty() {
        return Err(Error::new_spanned(ident, "an enum without variants allows nothing"));
    }
    let shape = quote!(::smcp_policy_sdk::settings::Shape::choices(#description, &[#(#choices),*]));
    let read = quote! {
        match ::smcp_policy_sdk::settings::choice::<Self>(json)? {
            #(#arms,)*
            _ => ::core::option::Option::None,
        }
    };
    Ok(implementation(ident, &shape, &read))
}

/// `BestEffort` as `best-effort`.
fn kebab_case(name: &str) -> String {
    let mut kebab = String::new();
    for character in name.chars() {
        if character.is_uppercase() && !kebab.is_empty() {
            kebab.push('-');
        }
        kebab.extend(character.to_lowercase());
    }
    kebab
}
