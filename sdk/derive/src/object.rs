//! Structs: objects with fixed keys, or one value with narrower bounds.

use std::collections::BTreeSet;

use proc_macro2::Ident;
use proc_macro2::TokenStream;
use quote::quote;
use syn::Error;
use syn::Field;
use syn::Fields;
use syn::Result;
use syn::ext::IdentExt as _;

use crate::attribute;
use crate::documentation;
use crate::implementation;

/// The attributes of a key; and those of the value of a tuple struct, which has no name and can't be absent.
const OF_A_KEY: &[&str] = &["default", "range", "length", "name"];
const OF_A_VALUE: &[&str] = &["range", "length"];

pub(crate) fn expand(ident: &Ident, description: &str, fields: &Fields) -> Result<TokenStream> {
    match fields {
        Fields::Named(fields) => object(ident, description, fields.named.iter()),
        Fields::Unit => Ok(implementation(
            ident,
            &quote!(::smcp_policy_sdk::settings::Shape::object(#description, &[])),
            &quote!(json.as_object().map(|_| Self)),
        )),
        Fields::Unnamed(fields) => match fields.unnamed.iter().collect::<Vec<_>>().as_slice() {
            [only] => value(ident, description, only),
            _ => Err(Error::new_spanned(
                fields,
                "a tuple struct of settings has one field: the value that it is written as",
            )),
        },
    }
}

fn object<'a>(ident: &Ident, description: &str, fields: impl Iterator<Item = &'a Field>) -> Result<TokenStream> {
    let (mut shapes, mut reads, mut names) = (Vec::new(), Vec::new(), BTreeSet::new());
    for field in fields {
        let said = attribute::read(&field.attrs, OF_A_KEY)?;
        let (Some(member), ty) = (&field.ident, &field.ty) else { continue };
        let name = said.name.unwrap_or_else(|| member.unraw().to_string());
        if !names.insert(name.clone()) {
            return Err(Error::new_spanned(member, format!("two fields have the key `{name}`")));
        }
        let narrowed = said.narrowed;
        let description = documentation::of(&field.attrs);
        let default = match said.default {
            Some(default) => quote!(::core::option::Option::Some(#default)),
            None => quote!(::core::option::Option::None),
        };
        shapes.push(quote! {
            ::smcp_policy_sdk::settings::Field::new(
                #name,
                #description,
                <#ty as ::smcp_policy_sdk::Settings>::SHAPE #narrowed,
                #default,
            )
        });
        reads.push(quote!(#member: ::smcp_policy_sdk::settings::field(json, #name)?));
    }
    let shape = quote!(::smcp_policy_sdk::settings::Shape::object(#description, &[#(#shapes),*]));
    // Checks that the document is an object, also when there are no keys to read.
    let read = quote! {
        json.as_object()?;
        ::core::option::Option::Some(Self { #(#reads),* })
    };
    Ok(implementation(ident, &shape, &read))
}

fn value(ident: &Ident, description: &str, field: &Field) -> Result<TokenStream> {
    let narrowed = attribute::read(&field.attrs, OF_A_VALUE)?.narrowed;
    let ty = &field.ty;
    let shape = quote!(<#ty as ::smcp_policy_sdk::Settings>::SHAPE #narrowed .described(#description));
    let read = quote!(<#ty as ::smcp_policy_sdk::Settings>::read(json).map(Self));
    Ok(implementation(ident, &shape, &read))
}
