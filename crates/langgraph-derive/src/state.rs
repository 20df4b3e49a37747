//! `#[derive(State)]`.

use proc_macro2::TokenStream;
use quote::{format_ident, quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{DeriveInput, Ident, Path, Result};

use crate::attributes::{crate_at, Attributes};
use crate::fields::{self, Field, Kind};
use crate::reducer::Reducer;
use crate::{input, update};

pub(crate) fn expand(input: &DeriveInput) -> Result<TokenStream> {
    let attributes = Attributes::parse(&input.attrs, true)?;
    let fields = fields::of(input, &attributes, "State")?;
    let (name, krate) = (&input.ident, &attributes.krate);
    let update = format_ident!("{name}Update");
    let read = input::reading(name, &fields, krate, &quote!(shared));
    let state = state(name, &update, &fields, &attributes);
    let updating = update::expand(input, &update, &fields, krate);
    Ok(quote! { #read #state #updating })
}

fn state(name: &Ident, update: &Ident, fields: &[Field], attributes: &Attributes) -> TokenStream {
    let krate = &attributes.krate;
    let specs = fields.iter().map(|field| spec(field, krate));
    let writes = input::writes(fields, krate);
    let version = attributes.version;
    let migrate = migration(name, attributes);
    quote! {
        #[automatically_derived]
        impl #krate::State for #name {
            type Update = #update;

            const VERSION: u32 = #version;

            fn fields() -> ::std::vec::Vec<#krate::FieldSpec> {
                ::std::vec![#(#specs),*]
            }

            fn into_update(self) -> #krate::Update {
                let from = self;
                #writes
            }

            #migrate
        }

        #[automatically_derived]
        impl ::std::convert::From<#name> for #krate::Update {
            fn from(from: #name) -> Self {
                #krate::State::into_update(from)
            }
        }

        #[automatically_derived]
        impl ::std::convert::From<#name> for #krate::Value {
            fn from(from: #name) -> Self {
                #krate::__derive::values(#krate::State::into_update(from))
            }
        }
    }
}

fn migration(name: &Ident, attributes: &Attributes) -> TokenStream {
    let Some(old) = &attributes.migrate_from else { return TokenStream::new() };
    let (krate, version) = (&attributes.krate, attributes.version);
    let migrate = quote_spanned! {old.span()=> #krate::__derive::migrate::<#old, #name> };
    quote! {
        fn migrate(
            version: u32,
            stored: &#krate::TaskInput,
        ) -> ::std::result::Result<#krate::Update, #krate::Error> {
            const {
                ::std::assert!(
                    <#old as #krate::State>::VERSION < #version,
                    "the version of a state is greater than that of the one it is migrated from",
                );
            }
            #migrate(version, stored)
        }

        fn fields_of(version: u32) -> ::std::vec::Vec<#krate::FieldSpec> {
            #krate::__derive::fields_of::<#old>(version)
        }
    }
}

/// What the graph is told of a field.
fn spec(field: &Field, krate: &Path) -> TokenStream {
    let (name, ty) = (&field.name, &field.ty);
    let kind = match &field.kind {
        Kind::Last => quote!(#krate::Field::Last),
        Kind::Ephemeral => quote!(#krate::Field::Ephemeral),
        Kind::Untracked => quote!(#krate::Field::Untracked),
        Kind::Reduce(reducer) => {
            let reducer = reducing(field, reducer, krate);
            quote!(#krate::Field::Reduce(#reducer))
        }
        Kind::Delta(reducer, frequency) => {
            let reducer = reducing(field, reducer, krate);
            quote!(#krate::Field::Delta(#reducer, #frequency))
        }
    };
    let krate = crate_at(krate, ty);
    quote_spanned! {ty.span()=> #krate::FieldSpec::of::<#ty>(#name, #kind) }
}

fn reducing(field: &Field, reducer: &Reducer, krate: &Path) -> TokenStream {
    let (ty, initial) = (&field.ty, field.initial(krate));
    let krate = crate_at(krate, ty);
    let typed = |fold| quote_spanned! {ty.span()=> #krate::Reducer::typed_bare::<#ty, _>(#fold) };
    let reducer = match reducer {
        Reducer::Custom(path) => typed(quote!(#path)),
        Reducer::Messages => quote_spanned! {ty.span()=> #krate::__derive::add_messages::<#ty>() },
        Reducer::Known(function) => {
            let function = Ident::new(function, ty.span());
            typed(quote_spanned! {ty.span()=>
                |held: #ty, more: #ty| #krate::reducers::#function(held, more)
            })
        }
    };
    match field.starts_from_first_write() {
        true => reducer,
        false => quote!(#reducer.starting_from(#krate::Value::typed::<#ty>(#initial))),
    }
}
