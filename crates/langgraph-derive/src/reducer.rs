//! `#[reducer(..)]` and `#[delta]`.

use syn::meta::ParseNestedMeta;
use syn::spanned::Spanned;
use syn::{Attribute, Error, Expr, LitInt, Meta, Path, Result};

/// What folds writes into a field's value.
pub(crate) enum Reducer {
    /// A function of the module `reducers`.
    Known(&'static str),
    /// Adds messages, in any form that they have.
    Messages,
    /// A function of one's own.
    Custom(Path),
}

/// The reducers that have names here, and their functions of the module `reducers`.
const FUNCTIONS: [(&str, &str); 6] = [
    ("append", "append"),
    ("sum", "sum"),
    ("max", "max"),
    ("min", "min"),
    ("set", "unite"),
    ("merge", "merge"),
];

/// Every how many updates the value of a field is stored that is stored as changes, unless it is said:
/// as upstream.
const FREQUENCY: u64 = 1000;

const KNOWN: &str =
    "`append`, `sum`, `max`, `min`, `set`, `merge`, `add_messages` or `custom = path::to::function`";

impl Reducer {
    /// Reads `#[reducer(..)]` of the field `field`.
    pub(crate) fn parse(attribute: &Attribute, field: &str) -> Result<Self> {
        let Meta::List(_) = &attribute.meta else {
            let text =
                format!("the field `{field}`: name one reducer, as `#[reducer(append)]`: {KNOWN}");
            return Err(Error::new(attribute.span(), text));
        };
        let mut found: Option<Self> = None;
        attribute.parse_nested_meta(|meta| {
            let reducer = Self::named(&meta, field)?;
            if found.is_some() {
                return Err(meta.error(two(field)));
            }
            found = Some(reducer);
            Ok(())
        })?;
        found.ok_or_else(|| {
            let text = format!("the field `{field}`: name a reducer: {KNOWN}");
            Error::new(attribute.span(), text)
        })
    }

    fn named(meta: &ParseNestedMeta<'_>, field: &str) -> Result<Self> {
        let name = meta.path.get_ident().map(ToString::to_string).unwrap_or_default();
        if name == "add_messages" {
            return Ok(Reducer::Messages);
        }
        if let Some((_, function)) = FUNCTIONS.iter().find(|(known, _)| *known == name) {
            return Ok(Reducer::Known(function));
        }
        Ok(match &*name {
            "custom" if meta.input.peek(syn::Token![=]) => {
                Reducer::Custom(meta.value()?.parse().map_err(|error| {
                    let text = format!(
                        "the field `{field}`: `custom` is the path of a function of what the field \
                         holds and what is written, as `custom = path::to::function`"
                    );
                    Error::new(error.span(), text)
                })?)
            }
            "custom" => {
                let text = format!(
                    "the field `{field}`: name the function, as `custom = path::to::function`"
                );
                return Err(meta.error(text));
            }
            _ => {
                let text = format!("the field `{field}`: no such reducer; there are {KNOWN}");
                return Err(meta.error(text));
            }
        })
    }

    /// Whether the first write is what the field starts from: the default of its type would count as a
    /// value.
    pub(crate) fn compares(&self) -> bool {
        matches!(self, Reducer::Known("max" | "min"))
    }
}

/// That a field has two reducers.
pub(crate) fn two(field: &str) -> String {
    format!(
        "the field `{field}` has two reducers: keep one, or name a function that does both by \
             `#[reducer(custom = path::to::function)]`"
    )
}

/// Reads `#[delta]` or `#[delta(frequency = ..)]`.
pub(crate) fn frequency(attribute: &Attribute, field: &str) -> Result<u64> {
    if matches!(attribute.meta, Meta::Path(_)) {
        return Ok(FREQUENCY);
    }
    let mut frequency = FREQUENCY;
    let wanted = || format!("the field `{field}`: say `#[delta]` or `#[delta(frequency = 50)]`");
    let Meta::List(_) = &attribute.meta else { return Err(Error::new(attribute.span(), wanted())) };
    attribute.parse_nested_meta(|meta| {
        if !meta.path.is_ident("frequency") {
            return Err(meta.error(wanted()));
        }
        let value: Expr = meta.value()?.parse()?;
        let number = match &value {
            Expr::Lit(literal) => match &literal.lit {
                syn::Lit::Int(number) => parsed(number),
                _ => None,
            },
            _ => None,
        };
        frequency = number.ok_or_else(|| {
            let text = format!(
                "the field `{field}`: the frequency is a whole number from 1: after how many \
                 updates its value is stored"
            );
            Error::new(value.span(), text)
        })?;
        Ok(())
    })?;
    Ok(frequency)
}

fn parsed(number: &LitInt) -> Option<u64> {
    number.base10_parse().ok().filter(|number| *number > 0)
}
