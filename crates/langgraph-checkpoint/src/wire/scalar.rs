//! Values that are a single number, text, truth value, or nothing.

use std::io::{Error, Write};

use rmp::Marker;
use serde::Serialize;

use super::{read, StoredValue};

/// The value if it is a single one: nothing, a truth value, a number or a text. Of others no more is
/// written than shows that.
pub fn scalar<T: Serialize + ?Sized>(value: &T) -> Option<StoredValue> {
    let mut bytes = Scalar(Vec::new());
    let mut serializer =
        rmp_serde::Serializer::new(&mut bytes).with_struct_map().with_human_readable();
    value.serialize(&mut serializer).ok()?;
    read::value(&bytes.0).ok()
}

/// Refuses the bytes of anything else.
struct Scalar(Vec<u8>);

impl Write for Scalar {
    fn write(&mut self, bytes: &[u8]) -> Result<usize, Error> {
        let first = self.0.first().or(bytes.first());
        match first.map(|first| Marker::from_u8(*first)) {
            None
            | Some(
                Marker::Null
                | Marker::True
                | Marker::False
                | Marker::FixPos(_)
                | Marker::FixNeg(_)
                | Marker::U8
                | Marker::U16
                | Marker::U32
                | Marker::U64
                | Marker::I8
                | Marker::I16
                | Marker::I32
                | Marker::I64
                | Marker::F32
                | Marker::F64
                | Marker::FixStr(_)
                | Marker::Str8
                | Marker::Str16
                | Marker::Str32,
            ) => self.0.write(bytes),
            Some(_) => Err(Error::other("it is no scalar")),
        }
    }

    fn flush(&mut self) -> Result<(), Error> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use serde::Serializer;

    use super::*;

    #[derive(Serialize)]
    struct Wrapped(Option<f32>);

    #[derive(Serialize)]
    enum Color {
        Red,
        Mixed(u8),
    }

    /// Counts how often it is serialized.
    struct Counted<'c>(&'c Cell<usize>);

    impl Serialize for Counted<'_> {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            self.0.set(self.0.get() + 1);
            serializer.serialize_u8(1)
        }
    }

    #[test]
    fn single_values_are_told_from_others() {
        assert_eq!(scalar(&()), Some(StoredValue::Nil));
        assert_eq!(scalar("x"), Some(StoredValue::Text("x".into())));
        assert_eq!(scalar(&"x".repeat(70_000)), Some(StoredValue::Text("x".repeat(70_000))));
        assert_eq!(scalar(&u64::MAX), Some(StoredValue::Unsigned(u64::MAX)));
        assert_eq!(scalar(&i64::MIN), Some(StoredValue::Int(i64::MIN)));
        assert_eq!(scalar(&Wrapped(Some(0.5))), Some(StoredValue::Float(0.5)));
        assert_eq!(scalar(&Color::Red), Some(StoredValue::Text("Red".into())));
        assert_eq!(scalar(&Color::Mixed(1)), None);
        assert_eq!(scalar(&[1]), None);
        assert_eq!(scalar(&StoredValue::Bytes(vec![1])), None);
    }

    #[test]
    fn what_is_none_is_not_written_to_its_end() {
        let count = Cell::new(0);
        assert_eq!(scalar(&vec![Counted(&count), Counted(&count)]), None);
        assert_eq!(count.get(), 0);
    }
}
