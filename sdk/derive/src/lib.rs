//! The derive macro of `smcp-policy-sdk`, which exports and documents it.

#![deny(missing_docs)]

mod attribute;
mod choices;
mod documentation;
mod object;

use proc_macro2::Ident;
use proc_macro2::TokenStream;
use quote::quote;
use syn::Data;
use syn::DeriveInput;
use syn::Error;
use syn::Result;

/// Implements `Settings` for a type: see `smcp_policy_sdk::Settings`.
#[proc_macro_derive(Settings, attributes(setting))]
pub fn settings(input: proc_macro::TokenStream) -> proc_macro::TokenStream {
    let expanded = syn::parse(input).and_then(|input| expand(&input));
    expanded.unwrap_or_else(Error::into_compile_error).into()
}

fn expand(input: &DeriveInput) -> Result<TokenStream> {
    attribute::none(&input.attrs, "say it of a field or a variant")?;
    if !input.generics.params.is_empty() {
        return Err(Error::new_spanned(&input.generics, "settings have no type parameters"));
    }
    let description = documentation::of(&input.attrs);
    match &input.data {
        Data::Struct(data) => object::expand(&input.ident, &description, &data.fields),
        Data::Enum(data) => choices::expand(&input.ident, &description, data.variants.iter()),
        Data::Union(data) => Err(Error::new_spanned(data.union_token, "settings are a struct or an enum")),
    }
}

/// Writes the implementation, given the expression of its shape and the body of its reader.
fn implementation(ident: &Ident, shape: &TokenStream, read: &TokenStream) -> TokenStream {
    quote! {
        #[automatically_derived]
        impl ::smcp_policy_sdk::Settings for #ident {
            const SHAPE: ::smcp_policy_sdk::settings::Shape = #shape;

            fn read(json: &::smcp_policy_sdk::json::Json<'_>) -> ::core::option::Option<Self> {
                #read
            }
        }
    }
}

#[cfg(test)]
mod tests;
