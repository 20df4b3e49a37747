//! The attributes of a struct: `#[state(..)]` and serde's.

use proc_macro2::TokenStream;
use quote::ToTokens;
use syn::meta::ParseNestedMeta;
use syn::parse::Parse;
use syn::spanned::Spanned;
use syn::{Attribute, Error, Expr, ExprLit, Lit, LitStr, Path, Result, Token, Type};

use crate::names::Rename;

/// What the attributes of a struct say.
pub(crate) struct Attributes {
    /// Where the traits are.
    pub(crate) krate: Path,
    pub(crate) version: u32,
    pub(crate) migrate_from: Option<Type>,
    pub(crate) rename: Option<Rename>,
}

impl Attributes {
    /// Reads the attributes of a struct; `versioned`: whether it is one that is stored.
    pub(crate) fn parse(attributes: &[Attribute], versioned: bool) -> Result<Self> {
        let mut read = Self {
            krate: syn::parse_quote!(::langgraph_rust),
            version: 1,
            migrate_from: None,
            rename: None,
        };
        let mut version = None;
        for attribute in attributes {
            if attribute.path().is_ident("state") {
                attribute.parse_nested_meta(|meta| {
                    if meta.path.is_ident("crate") {
                        read.krate = path(&meta)?;
                    } else if versioned && meta.path.is_ident("version") {
                        let value: Expr = meta.value()?.parse()?;
                        read.version = number(&value)?;
                        version = Some(value.span());
                    } else if versioned && meta.path.is_ident("migrate_from") {
                        read.migrate_from = Some(meta.value()?.parse()?);
                    } else {
                        return Err(meta.error(known(versioned)));
                    }
                    Ok(())
                })?;
            } else if attribute.path().is_ident("serde") {
                serde(attribute, "rename_all", |rule| {
                    read.rename = Some(Rename::parse(rule)?);
                    Ok(())
                })?;
            }
        }
        match (&read.migrate_from, version) {
            (Some(old), None) => {
                let text = "`migrate_from` is for a version after the first: say \
                            `#[state(version = 2, migrate_from = ..)]`";
                Err(Error::new(old.span(), text))
            }
            (Some(_), Some(span)) if read.version == 1 => {
                let text = "version 1 is the first: nothing can be migrated to it, so raise the \
                            version or leave out `migrate_from`";
                Err(Error::new(span, text))
            }
            _ => Ok(read),
        }
    }
}

fn known(versioned: bool) -> &'static str {
    match versioned {
        true => "on a struct there are `version = 2`, `migrate_from = Old` and `crate = path`",
        false => "on a struct that is an input there is `crate = path`",
    }
}

fn number(value: &Expr) -> Result<u32> {
    let parsed = match value {
        Expr::Lit(ExprLit { lit: Lit::Int(number), .. }) => number.base10_parse().ok(),
        _ => None,
    };
    parsed.filter(|version| *version > 0).ok_or_else(|| {
        let text = "the version of a state is a whole number from 1, as `version = 2`";
        Error::new(value.span(), text)
    })
}

/// A path, in quotes or not.
fn path(meta: &ParseNestedMeta<'_>) -> Result<Path> {
    let value = meta.value()?;
    match value.peek(LitStr) {
        true => value.parse::<LitStr>()?.parse_with(Path::parse_mod_style),
        false => Path::parse_mod_style(value),
    }
}

/// Gives `take` the text of serde's attribute `name`; leaves the others to serde.
pub(crate) fn serde(
    attribute: &Attribute,
    name: &str,
    mut take: impl FnMut(&LitStr) -> Result<()>,
) -> Result<()> {
    attribute.parse_nested_meta(|meta| {
        if meta.path.is_ident(name) {
            if !meta.input.peek(Token![=]) {
                let text = format!("a channel has one name: say `{name} = \"..\"`");
                return Err(meta.error(text));
            }
            return take(&meta.value()?.parse()?);
        }
        if meta.input.peek(Token![=]) {
            meta.value()?.parse::<Expr>()?;
        } else if meta.input.peek(syn::token::Paren) {
            let content;
            syn::parenthesized!(content in meta.input);
            TokenStream::parse(&content)?;
        }
        Ok(())
    })
}

/// The path of the crate, as if it stood at `ty`: the compiler then says of what is wrong with a
/// field's type that it is there.
pub(crate) fn crate_at(krate: &Path, ty: &Type) -> TokenStream {
    let span = ty.span();
    let tokens = krate.to_token_stream().into_iter().map(|mut token| {
        token.set_span(span);
        token
    });
    tokens.collect()
}
