//! Bytes of msgpack: written to a buffer, read from a slice.

use std::cell::Cell;

use rmp::encode::{self as put, buffer::ByteBuf};
use rmp::Marker;

/// How large a buffer is kept for the next value, in bytes.
const KEPT: usize = 1 << 20;

/// The longest header of a text.
const TEXT_HEADER: usize = 5;

/// The longest header of an extension record.
const EXTENSION_HEADER: usize = 6;

thread_local! {
    /// The last value's buffer: a large one made anew costs more than all that is written to it.
    static SCRATCH: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
}

/// Msgpack being written. Writing to memory cannot fail; a length past 32 bits has no encoding.
pub struct Writer(ByteBuf);

/// A length that msgpack has no encoding for.
pub struct TooLong;

/// Where something begins.
#[derive(Clone, Copy)]
pub struct Mark(usize);

impl Writer {
    /// A writer with nothing in it.
    pub fn new() -> Self {
        let mut buffer = SCRATCH.take();
        buffer.clear();
        Self(ByteBuf::from_vec(buffer))
    }

    pub fn bytes(&self) -> &[u8] {
        self.0.as_slice()
    }

    pub fn nil(&mut self) {
        self.0.as_mut_vec().push(Marker::Null.to_u8());
    }

    pub fn boolean(&mut self, value: bool) {
        let marker = if value { Marker::True } else { Marker::False };
        self.0.as_mut_vec().push(marker.to_u8());
    }

    #[inline]
    pub fn int(&mut self, value: i64) {
        if let Ok(small @ -32..) = i8::try_from(value) {
            // The most frequent ones are their own markers.
            self.0.as_mut_vec().push(small as u8);
        } else if let Ok(value) = u64::try_from(value) {
            self.unsigned(value);
        } else if let Ok(value) = i8::try_from(value) {
            self.marked(Marker::I8, value.to_be_bytes());
        } else if let Ok(value) = i16::try_from(value) {
            self.marked(Marker::I16, value.to_be_bytes());
        } else if let Ok(value) = i32::try_from(value) {
            self.marked(Marker::I32, value.to_be_bytes());
        } else {
            self.marked(Marker::I64, value.to_be_bytes());
        }
    }

    #[inline]
    pub fn unsigned(&mut self, value: u64) {
        if let Ok(small @ ..=127) = u8::try_from(value) {
            self.0.as_mut_vec().push(small);
        } else if let Ok(value) = u8::try_from(value) {
            self.marked(Marker::U8, value.to_be_bytes());
        } else if let Ok(value) = u16::try_from(value) {
            self.marked(Marker::U16, value.to_be_bytes());
        } else if let Ok(value) = u32::try_from(value) {
            self.marked(Marker::U32, value.to_be_bytes());
        } else {
            self.marked(Marker::U64, value.to_be_bytes());
        }
    }

    #[inline]
    pub fn float(&mut self, value: f64) {
        self.marked(Marker::F64, value.to_be_bytes());
    }

    #[inline]
    pub fn text(&mut self, value: &str) -> Result<(), TooLong> {
        // Room for all of it at once.
        self.0.as_mut_vec().reserve(value.len() + TEXT_HEADER);
        match u8::try_from(value.len()) {
            Ok(short @ ..=31) => self.0.as_mut_vec().push(Marker::FixStr(short).to_u8()),
            _ => _ = put::write_str_len(&mut self.0, length(value.len())?),
        }
        self.raw(value.as_bytes());
        Ok(())
    }

    #[inline]
    fn marked<const N: usize>(&mut self, marker: Marker, bytes: [u8; N]) {
        let buffer = self.0.as_mut_vec();
        buffer.reserve(N + 1);
        buffer.push(marker.to_u8());
        buffer.extend_from_slice(&bytes);
    }

    pub fn binary(&mut self, value: &[u8]) -> Result<(), TooLong> {
        length(value.len())?;
        _ = put::write_bin(&mut self.0, value);
        Ok(())
    }

    pub fn array(&mut self, count: usize) -> Result<(), TooLong> {
        _ = put::write_array_len(&mut self.0, length(count)?);
        Ok(())
    }

    pub fn map(&mut self, count: usize) -> Result<(), TooLong> {
        _ = put::write_map_len(&mut self.0, length(count)?);
        Ok(())
    }

    /// What is msgpack already.
    pub fn raw(&mut self, bytes: &[u8]) {
        self.0.as_mut_vec().extend_from_slice(bytes);
    }

    /// Where the next thing begins.
    pub fn mark(&self) -> Mark {
        Mark(self.bytes().len())
    }

    /// Takes back what was written since.
    pub fn back_to(&mut self, mark: Mark) {
        self.0.as_mut_vec().truncate(mark.0);
    }

    /// Begins an extension record, whose body follows.
    pub fn open(&mut self) -> Mark {
        let mark = self.mark();
        self.raw(&[0; EXTENSION_HEADER]);
        mark
    }

    /// Ends the record that begins at `mark`.
    pub fn close(&mut self, mark: Mark, code: i8) -> Result<(), TooLong> {
        let body = mark.0 + EXTENSION_HEADER;
        let mut header = ByteBuf::with_capacity(EXTENSION_HEADER);
        _ = put::write_ext_meta(&mut header, length(self.bytes().len() - body)?, code);
        let (buffer, header) = (self.0.as_mut_vec(), header.as_slice());
        let at = mark.0 + header.len();
        buffer.copy_within(body.., at);
        buffer.truncate(buffer.len() - (body - at));
        buffer[mark.0..at].copy_from_slice(header);
        Ok(())
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        let mut buffer = std::mem::take(self.0.as_mut_vec());
        if buffer.capacity() > KEPT {
            buffer.clear();
            buffer.shrink_to(KEPT);
        }
        SCRATCH.set(buffer);
    }
}

fn length(length: usize) -> Result<u32, TooLong> {
    u32::try_from(length).map_err(|_| TooLong)
}

/// Msgpack being read.
#[derive(Clone)]
pub struct Reader<'a> {
    data: &'a [u8],
}

/// The bytes end too early.
pub struct Cut;

impl<'a> Reader<'a> {
    pub fn new(data: &'a [u8]) -> Self {
        Self { data }
    }

    /// How many bytes are left.
    pub fn left(&self) -> usize {
        self.data.len()
    }

    /// Takes `expected` if it comes next.
    pub fn skip(&mut self, expected: &[u8]) -> bool {
        let rest = self.data.strip_prefix(expected);
        self.data = rest.unwrap_or(self.data);
        rest.is_some()
    }

    /// What the next value is, without taking it.
    pub fn peek(&self) -> Option<Marker> {
        self.data.first().map(|byte| Marker::from_u8(*byte))
    }

    pub fn marker(&mut self) -> Result<Marker, Cut> {
        let [byte] = self.fixed()?;
        Ok(Marker::from_u8(byte))
    }

    pub fn take(&mut self, count: usize) -> Result<&'a [u8], Cut> {
        let (taken, rest) = self.data.split_at_checked(count).ok_or(Cut)?;
        self.data = rest;
        Ok(taken)
    }

    pub fn fixed<const N: usize>(&mut self) -> Result<[u8; N], Cut> {
        let (taken, rest) = self.data.split_first_chunk().ok_or(Cut)?;
        self.data = rest;
        Ok(*taken)
    }

    /// The next text, if the next value is one.
    pub fn text(&mut self) -> Option<&'a str> {
        let marker = self.marker().ok()?;
        let length = self.text_length(marker).ok()??;
        std::str::from_utf8(self.take(length).ok()?).ok()
    }

    /// How long a text is, in bytes; `None` if it is none.
    pub fn text_length(&mut self, marker: Marker) -> Result<Option<usize>, Cut> {
        Ok(Some(match marker {
            Marker::FixStr(length) => length.into(),
            Marker::Str8 => self.fixed::<1>()?[0].into(),
            Marker::Str16 => u16::from_be_bytes(self.fixed()?).into(),
            Marker::Str32 => u32::from_be_bytes(self.fixed()?) as usize,
            _ => return Ok(None),
        }))
    }

    /// How many bytes follow of what is no container; `None` if it is one, or nothing at all.
    pub fn scalar_length(&mut self, marker: Marker) -> Result<Option<usize>, Cut> {
        Ok(Some(match marker {
            Marker::Null | Marker::True | Marker::False => 0,
            Marker::FixPos(_) | Marker::FixNeg(_) => 0,
            Marker::U8 | Marker::I8 => 1,
            Marker::U16 | Marker::I16 => 2,
            Marker::U32 | Marker::I32 | Marker::F32 => 4,
            Marker::U64 | Marker::I64 | Marker::F64 => 8,
            // Those of extensions: with the code.
            Marker::FixExt1 => 2,
            Marker::FixExt2 => 3,
            Marker::FixExt4 => 5,
            Marker::FixExt8 => 9,
            Marker::FixExt16 => 17,
            Marker::Ext8 => usize::from(self.fixed::<1>()?[0]) + 1,
            Marker::Ext16 => usize::from(u16::from_be_bytes(self.fixed()?)) + 1,
            Marker::Ext32 => u32::from_be_bytes(self.fixed()?) as usize + 1,
            Marker::Bin8 => self.fixed::<1>()?[0].into(),
            Marker::Bin16 => u16::from_be_bytes(self.fixed()?).into(),
            Marker::Bin32 => u32::from_be_bytes(self.fixed()?) as usize,
            text => return self.text_length(text),
        }))
    }

    /// How many items an array has; `None` if it is none.
    pub fn array_length(&mut self, marker: Marker) -> Result<Option<usize>, Cut> {
        Ok(Some(match marker {
            Marker::FixArray(count) => count.into(),
            Marker::Array16 => u16::from_be_bytes(self.fixed()?).into(),
            Marker::Array32 => u32::from_be_bytes(self.fixed()?) as usize,
            _ => return Ok(None),
        }))
    }

    /// How many entries a map has; `None` if it is none.
    pub fn map_length(&mut self, marker: Marker) -> Result<Option<usize>, Cut> {
        Ok(Some(match marker {
            Marker::FixMap(count) => count.into(),
            Marker::Map16 => u16::from_be_bytes(self.fixed()?).into(),
            Marker::Map32 => u32::from_be_bytes(self.fixed()?) as usize,
            _ => return Ok(None),
        }))
    }
}
