//! `#[derive(Input)]`, and what states have in common with it.

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{DeriveInput, Ident, Path, Result};

use crate::attributes::Attributes;
use crate::fields::{self, Field};

pub(crate) fn expand(input: &DeriveInput) -> Result<TokenStream> {
    let attributes = Attributes::parse(&input.attrs, false)?;
    let fields = fields::of(input, &attributes, "Input")?;
    let krate = &attributes.krate;
    let (name, writes) = (&input.ident, writes(&fields, krate));
    let read = reading(name, &fields, krate, &quote!(own));
    Ok(quote! {
        #read

        #[automatically_derived]
        impl ::std::convert::From<#name> for #krate::Value {
            fn from(from: #name) -> Self {
                #krate::__derive::values({ #writes })
            }
        }
    })
}

/// How a task's input becomes the struct `name`; `share` is the method of the input that makes it.
pub(crate) fn reading(
    name: &Ident,
    fields: &[Field],
    krate: &Path,
    share: &TokenStream,
) -> TokenStream {
    let read = fields.iter().map(|field| field.read(krate));
    quote! {
        #[automatically_derived]
        impl #krate::Input for #name {
            fn read(
                from: &#krate::TaskInput,
            ) -> ::std::result::Result<::std::sync::Arc<Self>, #krate::Error> {
                from.#share(|| ::std::result::Result::Ok(Self { #(#read,)* }))
            }
        }
    }
}

/// All fields of a struct called `from`, as an update.
pub(crate) fn writes(fields: &[Field], krate: &Path) -> TokenStream {
    let writes = fields.iter().map(|Field { ident, name, ty, .. }| {
        quote_spanned! {ty.span()=> let update = update.set_typed::<#ty>(#name, from.#ident); }
    });
    quote! {
        let update = #krate::Update::new();
        #(#writes)*
        update
    }
}
