//! The fields of a struct, and what their attributes say.

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::ext::IdentExt;
use syn::spanned::Spanned;
use syn::{
    Attribute, Data, DeriveInput, Error, Expr, Fields, Ident, Path, Result, Type, Visibility,
};

use crate::attributes::{crate_at, serde, Attributes};
use crate::reducer::{self, Reducer};

/// A field of a struct.
pub(crate) struct Field {
    pub(crate) ident: Ident,
    /// The channel's name.
    pub(crate) name: String,
    pub(crate) ty: Type,
    pub(crate) visibility: Visibility,
    /// Its documentation.
    pub(crate) docs: Vec<Attribute>,
    /// What it holds before it is written, if that is said.
    default: Option<Expr>,
    pub(crate) kind: Kind,
}

/// What becomes of writes to a field.
pub(crate) enum Kind {
    Last,
    Ephemeral,
    Untracked,
    Reduce(Reducer),
    Delta(Reducer, u64),
}

/// The named fields of a struct without generics; `derived` is the macro, for errors.
pub(crate) fn of(
    input: &DeriveInput,
    attributes: &Attributes,
    derived: &str,
) -> Result<Vec<Field>> {
    let refuse = |span, what: &str| {
        let text = format!("`#[derive({derived})]` is for structs with named fields: {what}");
        Err(Error::new(span, text))
    };
    let name = &input.ident;
    let data = match &input.data {
        Data::Struct(data) => data,
        Data::Enum(data) => {
            let what = format!("make `{name}` a struct, or a field of one, as `value: {name}`");
            return refuse(data.enum_token.span, &what);
        }
        Data::Union(data) => return refuse(data.union_token.span, "a union has none"),
    };
    let named = match &data.fields {
        Fields::Named(named) => named,
        Fields::Unnamed(unnamed) => {
            return refuse(
                unnamed.span(),
                "give each field a name, as `struct S { value: String }`",
            );
        }
        Fields::Unit => {
            return refuse(name.span(), "give it fields, as `struct S { value: String }`")
        }
    };
    if !input.generics.params.is_empty() || input.generics.where_clause.is_some() {
        let text = format!(
            "`#[derive({derived})]` is for structs without generics: a graph has one state, so name \
             the types of its fields"
        );
        return Err(Error::new(input.generics.span(), text));
    }
    let fields = named.named.iter().map(|field| Field::parse(field, attributes));
    let fields = fields.collect::<Result<Vec<_>>>()?;
    for (position, field) in fields.iter().enumerate() {
        if fields[..position].iter().any(|other| other.name == field.name) {
            let text = format!(
                "the field `{}`: another one is called `{}` already, by its name or by `rename`",
                field.ident, field.name
            );
            return Err(Error::new(field.ident.span(), text));
        }
    }
    Ok(fields)
}

/// The attributes of a field, as they are found.
#[derive(Default)]
struct Found {
    default: Option<Expr>,
    rename: Option<String>,
    reducer: Option<Reducer>,
    /// With where it stands.
    delta: Option<(u64, proc_macro2::Span)>,
    /// What it is instead of one with a reducer, and where that stands.
    kept: Option<(Kind, proc_macro2::Span)>,
}

impl Found {
    fn read(attributes: &[Attribute], field: &str) -> Result<Self> {
        let mut found = Self::default();
        for attribute in attributes {
            let path = attribute.path();
            if path.is_ident("reducer") {
                let reducer = Reducer::parse(attribute, field)?;
                if found.reducer.replace(reducer).is_some() {
                    return Err(Error::new(attribute.span(), reducer::two(field)));
                }
            } else if path.is_ident("delta") {
                found.delta = Some((reducer::frequency(attribute, field)?, attribute.span()));
            } else if path.is_ident("untracked") || path.is_ident("ephemeral") {
                attribute.meta.require_path_only()?;
                let kind =
                    if path.is_ident("untracked") { Kind::Untracked } else { Kind::Ephemeral };
                if found.kept.replace((kind, attribute.span())).is_some() {
                    let text = format!(
                        "the field `{field}` is said to be both untracked and ephemeral: an \
                         ephemeral value is kept for one superstep, an untracked one for the run"
                    );
                    return Err(Error::new(attribute.span(), text));
                }
            } else if path.is_ident("state") {
                attribute.parse_nested_meta(|meta| {
                    if !meta.path.is_ident("default") {
                        let text = format!(
                            "the field `{field}`: on a field there is `#[state(default = ..)]`"
                        );
                        return Err(meta.error(text));
                    }
                    found.default = Some(meta.value()?.parse()?);
                    Ok(())
                })?;
            } else if path.is_ident("serde") {
                serde(attribute, "rename", |name| {
                    found.rename = Some(name.value());
                    Ok(())
                })?;
            }
        }
        Ok(found)
    }

    fn kind(self, field: &str) -> Result<Kind> {
        match (self.reducer, self.delta, self.kept) {
            (None, None, None) => Ok(Kind::Last),
            (None, None, Some((kind, _))) => Ok(kind),
            (Some(reducer), None, None) => Ok(Kind::Reduce(reducer)),
            (Some(reducer), Some((_, span)), None)
                if reducer.compares() && self.default.is_none() =>
            {
                drop(reducer);
                let text = format!(
                    "the field `{field}`: what is stored as changes needs a value to begin with: say \
                     `#[state(default = ..)]`"
                );
                Err(Error::new(span, text))
            }
            (Some(reducer), Some((frequency, _)), None) => Ok(Kind::Delta(reducer, frequency)),
            (None, Some((_, span)), _) => {
                let text = format!(
                    "the field `{field}`: `#[delta]` stores what is written instead of the value, \
                     so it needs a reducer that folds that again, as `#[reducer(append)]`"
                );
                Err(Error::new(span, text))
            }
            (Some(_), _, Some((_, span))) => {
                let text = format!(
                    "the field `{field}` has a reducer, so it is kept: leave out either of the two"
                );
                Err(Error::new(span, text))
            }
        }
    }
}

impl Field {
    fn parse(field: &syn::Field, attributes: &Attributes) -> Result<Self> {
        let ident = field.ident.clone().ok_or_else(|| Error::new(field.span(), "no name"))?;
        let own = ident.unraw().to_string();
        let mut found = Found::read(&field.attrs, &own)?;
        let renamed = || attributes.rename.map(|rule| rule.apply(&own));
        let docs = field.attrs.iter().filter(|attribute| attribute.path().is_ident("doc"));
        Ok(Self {
            name: found.rename.take().or_else(renamed).unwrap_or_else(|| own.clone()),
            default: found.default.clone(),
            kind: found.kind(&own)?,
            ty: field.ty.clone(),
            visibility: field.vis.clone(),
            docs: docs.cloned().collect(),
            ident,
        })
    }

    /// What the field holds before it is written.
    pub(crate) fn initial(&self, krate: &Path) -> TokenStream {
        let ty = &self.ty;
        let krate = crate_at(krate, ty);
        match &self.default {
            Some(default) => quote!(#default),
            None => quote_spanned! {ty.span()=> <#ty as #krate::__derive::Initial>::initial() },
        }
    }

    /// The field's value, from what the task was given.
    pub(crate) fn read(&self, krate: &Path) -> TokenStream {
        let Self { ident, name, ty, .. } = self;
        let initial = self.initial(krate);
        let read = quote_spanned! {ty.span()=> from.field_or::<#ty> };
        quote!(#ident: #read(#name, || -> #ty { #initial })?)
    }

    /// The reducer, if the field has one.
    pub(crate) fn reducer(&self) -> Option<&Reducer> {
        match &self.kind {
            Kind::Reduce(reducer) | Kind::Delta(reducer, _) => Some(reducer),
            _ => None,
        }
    }

    /// Whether the field holds nothing before it is written, although it has a reducer.
    pub(crate) fn starts_from_first_write(&self) -> bool {
        self.default.is_none() && self.reducer().is_some_and(Reducer::compares)
    }
}
