//! Looking at bytes before anything is made of them.

use rmp::Marker;

use super::shaped::kind_of;
use crate::codec::class::Fields;
use crate::codec::shape::{Entry, Kind, Shape};
use crate::codec::wire::Reader;

/// Bytes that are only looked at.
pub struct Scan<'a>(pub Reader<'a>);

impl Scan<'_> {
    /// Whether the values of a model's fields come next, as its schema says; then they are passed.
    /// `unless` names a field by its position, and a key that it must not have.
    pub fn fits(&mut self, fields: &Fields, unless: Option<&(usize, String)>) -> bool {
        if self.entries() != Some(fields.fields.len()) {
            return false;
        }
        fields.fields.iter().enumerate().all(|(position, field)| {
            let unwanted = unless.filter(|(at, _)| *at == position);
            self.0.skip(&field.packed)
                && unwanted.is_none_or(|(_, key)| !Scan(self.0.clone()).has_key(key))
                && self.shaped(&field.shape)
        })
    }

    /// Whether the next value is a dict with this key; or none that one can look through.
    fn has_key(&mut self, key: &str) -> bool {
        let Some(count) = self.entries() else { return false };
        (0..count).any(|_| {
            let mut name = self.0.clone();
            name.text() == Some(key) || self.pass().is_none() || self.pass().is_none()
        })
    }

    /// Whether just this comes next, and nothing after it.
    pub fn ends_with(&mut self, tail: &[u8]) -> bool {
        self.0.skip(tail) && self.0.left() == 0
    }

    /// How many entries the map has that comes next.
    fn entries(&mut self) -> Option<usize> {
        let marker = self.0.marker().ok()?;
        self.0.map_length(marker).ok()?
    }

    fn shaped(&mut self, shape: &Shape) -> bool {
        let Some(kind) = self.0.peek().map(kind_of) else { return false };
        match shape {
            Shape::Any | Shape::Exact(_) => self.pass().is_some(),
            Shape::Nullable(_) if kind == Kind::None => self.pass().is_some(),
            Shape::Nullable(inner) => self.shaped(inner),
            Shape::Text => kind == Kind::Text && self.pass().is_some(),
            Shape::Int => kind == Kind::Int && self.pass().is_some(),
            Shape::Float => kind == Kind::Float && self.pass().is_some(),
            Shape::Bool => kind == Kind::Bool && self.pass().is_some(),
            Shape::None => kind == Kind::None && self.pass().is_some(),
            Shape::Literal(choices) => {
                let text = if kind == Kind::Text { self.0.text() } else { None };
                text.is_some_and(|text| choices.iter().any(|choice| choice == text))
            }
            Shape::Union(choices) => {
                Shape::choice(choices, kind).is_some_and(|choice| self.shaped(choice))
            }
            Shape::List(inner) => {
                let count = if kind == Kind::List { self.items() } else { None };
                count.is_some_and(|count| (0..count).all(|_| self.shaped(inner)))
            }
            Shape::Dict(texts, inner) => {
                let count = if kind == Kind::Dict { self.entries() } else { None };
                count.is_some_and(|count| (0..count).all(|_| self.entry(*texts, inner)))
            }
            Shape::Typed(entries) => kind == Kind::Dict && self.typed(entries),
            Shape::Model(fields) => self.fits(fields, None),
        }
    }

    fn items(&mut self) -> Option<usize> {
        let marker = self.0.marker().ok()?;
        self.0.array_length(marker).ok()?
    }

    fn entry(&mut self, texts: bool, shape: &Shape) -> bool {
        let is_text = self.0.peek().map(kind_of) == Some(Kind::Text);
        (is_text || !texts) && self.pass().is_some() && self.shaped(shape)
    }

    /// A dict with the entries of a `TypedDict`, in their order: validating puts them in it.
    fn typed(&mut self, entries: &[Entry]) -> bool {
        let Some(count) = self.entries() else { return false };
        let mut rest = entries.iter();
        for _ in 0..count {
            let Some(name) = self.0.text() else { return false };
            let entry = loop {
                match rest.next() {
                    Some(entry) if entry.name == name => break entry,
                    Some(entry) if !entry.is_required => {}
                    _ => return false,
                }
            };
            if !self.shaped(&entry.shape) {
                return false;
            }
        }
        rest.all(|entry| !entry.is_required)
    }

    /// Passes one value of any kind, however deep.
    fn pass(&mut self) -> Option<()> {
        let mut left = 1usize;
        while left > 0 {
            left -= 1;
            let marker = self.0.marker().ok()?;
            let length = match marker {
                Marker::FixArray(_) | Marker::Array16 | Marker::Array32 => {
                    left = left.checked_add(self.0.array_length(marker).ok()??)?;
                    0
                }
                Marker::FixMap(_) | Marker::Map16 | Marker::Map32 => {
                    let count = self.0.map_length(marker).ok()??;
                    left = left.checked_add(count.checked_mul(2)?)?;
                    0
                }
                marker => self.0.scalar_length(marker).ok()??,
            };
            self.0.take(length).ok()?;
        }
        Some(())
    }
}
