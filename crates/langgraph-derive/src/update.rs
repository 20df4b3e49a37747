//! The type of what nodes write to a state.

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{DeriveInput, GenericArgument, Ident, Path, PathArguments, Type};

use crate::fields::Field;

pub(crate) fn expand(
    input: &DeriveInput,
    update: &Ident,
    fields: &[Field],
    krate: &Path,
) -> TokenStream {
    let (name, visibility) = (&input.ident, &input.vis);
    let held = fields.iter().map(|field| held(field, krate));
    let builders = fields.iter().map(|field| builder(field, krate));
    let docs = format!("What nodes write to a [`{name}`]: any of its fields.");
    let begin = "An update that writes nothing yet.";
    let (conversion, debug) = (conversion(update, fields, krate), debug(update, krate));
    // Programs need not use all of it.
    quote! {
        #[doc = #docs]
        #[allow(dead_code)]
        #[must_use = "nothing is written before a node returns it"]
        #[derive(::std::clone::Clone, ::std::default::Default)]
        #visibility struct #update {
            #(#held,)*
        }

        #[allow(dead_code)]
        impl #name {
            #[doc = #begin]
            #visibility fn update() -> #update {
                ::std::default::Default::default()
            }
        }

        #[allow(dead_code)]
        impl #update {
            #(#builders)*
        }

        #conversion
        #debug
    }
}

fn held(field: &Field, krate: &Path) -> TokenStream {
    let Field { ident, ty, visibility, docs, .. } = field;
    let (docs, ty) = match field.reducer() {
        Some(_) => (documented(docs, "fold into"), quote!(#krate::FieldWrite<#ty>)),
        None => (documented(docs, "write to"), quote!(#ty)),
    };
    quote! {
        #docs
        #visibility #ident: ::std::option::Option<#ty>
    }
}

/// The field's own documentation, if it has some.
fn documented(docs: &[syn::Attribute], what: &str) -> TokenStream {
    let otherwise = format!("What to {what} the field.");
    match docs {
        [] => quote!(#[doc = #otherwise]),
        docs => quote!(#(#docs)*),
    }
}

/// The method that writes a field.
fn builder(field: &Field, krate: &Path) -> TokenStream {
    let Field { ident, ty, visibility, .. } = field;
    let docs = match field.reducer() {
        Some(_) => "folds the value into the field, or replaces what it holds by an `Overwrite`.",
        None => "writes the field.",
    };
    let docs = format!("The same update, which {docs}");
    let (takes, value) = match (field.reducer(), optional(ty)) {
        (Some(_), _) if has_items(ty) => {
            (quote!(impl #krate::IntoItems<#ty>), quote!(#krate::IntoItems::into_items(value)))
        }
        (Some(_), _) => (
            quote!(impl ::std::convert::Into<#krate::FieldWrite<#ty>>),
            quote!(::std::convert::Into::into(value)),
        ),
        (None, Some(inner)) => (
            quote!(impl #krate::IntoOptional<#inner>),
            quote!(#krate::IntoOptional::into_optional(value)),
        ),
        (None, None) if last_segment(ty).is_some_and(|name| name == "String") => {
            (quote!(impl ::std::convert::Into<#ty>), quote!(::std::convert::Into::into(value)))
        }
        (None, None) => (quote!(#ty), quote!(value)),
    };
    quote! {
        #[doc = #docs]
        #visibility fn #ident(mut self, value: #takes) -> Self {
            self.#ident = ::std::option::Option::Some(#value);
            self
        }
    }
}

fn conversion(update: &Ident, fields: &[Field], krate: &Path) -> TokenStream {
    let writes = fields.iter().map(|field| {
        let Field { ident, name, ty, .. } = field;
        let method = Ident::new(
            if field.reducer().is_some() { "write_typed" } else { "set_typed" },
            ty.span(),
        );
        let write = quote_spanned! {ty.span()=> update.#method(#name, value) };
        quote! {
            let update = match from.#ident {
                ::std::option::Option::Some(value) => #write,
                ::std::option::Option::None => update,
            };
        }
    });
    quote! {
        #[automatically_derived]
        impl ::std::convert::From<#update> for #krate::Update {
            fn from(from: #update) -> Self {
                let update = Self::new();
                #(#writes)*
                update
            }
        }
    }
}

/// A `Debug` that does not need that of the fields' types.
fn debug(update: &Ident, krate: &Path) -> TokenStream {
    let name = update.to_string();
    quote! {
        #[automatically_derived]
        impl ::std::fmt::Debug for #update {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                #krate::__derive::show(#name, ::std::clone::Clone::clone(self).into(), f)
            }
        }
    }
}

/// The last name of a type's path.
fn last_segment(ty: &Type) -> Option<&Ident> {
    match ty {
        Type::Path(path) => path.path.segments.last().map(|segment| &segment.ident),
        _ => None,
    }
}

/// What the type may hold that is an `Option`.
fn optional(ty: &Type) -> Option<&Type> {
    let Type::Path(path) = ty else { return None };
    let last = path.path.segments.last().filter(|segment| segment.ident == "Option")?;
    let PathArguments::AngleBracketed(arguments) = &last.arguments else { return None };
    match arguments.args.first() {
        Some(GenericArgument::Type(inner)) => Some(inner),
        _ => None,
    }
}

/// Whether `IntoItems` knows the type.
fn has_items(ty: &Type) -> bool {
    const KNOWN: [&str; 9] = [
        "Vec", "VecDeque", "String", "BTreeSet", "HashSet", "IndexSet", "BTreeMap", "HashMap",
        "IndexMap",
    ];
    last_segment(ty).is_some_and(|name| KNOWN.iter().any(|known| name == known))
}
