//! Writes the wire format of Protocol Buffers: tags, varints, and length-prefixed messages.

/// Writes the fields of a message, one after the other, into one buffer.
///
/// The length of a nested message precedes it, and is only known at its end. So one byte is
/// reserved for the length, and the message is moved if it needs more. The result is the shortest
/// form ("Protocol Buffers: Encoding"), without a first pass that measures.
#[derive(Debug, Default)]
pub(crate) struct Writer {
    out: Vec<u8>,
}

/// The layout of a field's value ("Encoding", "Message Structure").
#[derive(Clone, Copy)]
enum WireType {
    Varint = 0,
    Fixed64 = 1,
    Length = 2,
    Fixed32 = 5,
}

/// The place reserved for the length of a nested message.
#[derive(Debug)]
#[must_use = "the message has no length before it is closed"]
pub(crate) struct Open(usize);

impl Writer {
    /// Creates a writer that appends to a buffer, which [`into_inner`](Self::into_inner) returns.
    pub(crate) fn over(out: Vec<u8>) -> Self {
        Self { out }
    }

    /// Returns the buffer.
    pub(crate) fn into_inner(self) -> Vec<u8> {
        self.out
    }

    /// Returns the written bytes.
    pub(crate) fn as_bytes(&self) -> &[u8] {
        &self.out
    }

    /// Returns the number of written bytes.
    pub(crate) fn len(&self) -> usize {
        self.out.len()
    }

    /// Writes a field whose type is a varint: `uint32`, `uint64`, an enumeration or a `bool`.
    #[inline]
    pub(crate) fn unsigned(&mut self, field: u32, number: u64) {
        self.tag(field, WireType::Varint);
        self.varint(number);
    }

    /// Writes a field of the type `int64`. A negative number takes ten bytes.
    #[inline]
    pub(crate) fn signed(&mut self, field: u32, number: i64) {
        self.unsigned(field, number.cast_unsigned());
    }

    /// Writes a field of the type `fixed64`.
    #[inline]
    pub(crate) fn fixed64(&mut self, field: u32, number: u64) {
        self.tag(field, WireType::Fixed64);
        self.out.extend_from_slice(&number.to_le_bytes());
    }

    /// Writes a field of the type `fixed32`.
    #[inline]
    pub(crate) fn fixed32(&mut self, field: u32, number: u32) {
        self.tag(field, WireType::Fixed32);
        self.out.extend_from_slice(&number.to_le_bytes());
    }

    /// Writes a field of the type `double`.
    #[inline]
    pub(crate) fn double(&mut self, field: u32, number: f64) {
        self.fixed64(field, number.to_bits());
    }

    /// Writes a field of the type `bytes`.
    #[inline]
    pub(crate) fn bytes(&mut self, field: u32, bytes: &[u8]) {
        self.length_of(field, bytes.len());
        self.out.extend_from_slice(bytes);
    }

    /// Writes a field of the type `string`.
    ///
    /// U+0000 becomes U+FFFD, since databases behind these backends refuse it, together with
    /// everything in the same request.
    #[inline]
    pub(crate) fn text(&mut self, field: u32, text: &str) {
        if text.as_bytes().contains(&0) {
            return self.bytes(field, text.replace('\0', "\u{fffd}").as_bytes());
        }
        self.bytes(field, text.as_bytes());
    }

    /// Begins a nested message, which [`close`](Self::close) ends.
    #[inline]
    pub(crate) fn open(&mut self, field: u32) -> Open {
        self.tag(field, WireType::Length);
        self.out.push(0);
        Open(self.out.len())
    }

    /// Ends a nested message.
    #[inline]
    #[expect(clippy::cast_possible_truncation, reason = "below 128")]
    #[expect(clippy::needless_pass_by_value, reason = "a message is closed once")]
    pub(crate) fn close(&mut self, open: Open) {
        let Open(start) = open;
        let length = self.out.len() - start;
        if length < 0x80 {
            self.out[start - 1] = length as u8;
        } else {
            self.close_long(start, length);
        }
    }

    /// Writes a nested message.
    #[inline]
    pub(crate) fn message(&mut self, field: u32, write: impl FnOnce(&mut Self)) {
        let open = self.open(field);
        write(self);
        self.close(open);
    }

    /// Writes the tag and the length of bytes that [`raw`](Self::raw) appends.
    #[inline]
    pub(crate) fn length_of(&mut self, field: u32, length: usize) {
        self.tag(field, WireType::Length);
        self.varint(length as u64);
    }

    /// Appends bytes of a value whose tag and length are written.
    #[inline]
    pub(crate) fn raw(&mut self, bytes: &[u8]) {
        self.out.extend_from_slice(bytes);
    }

    fn close_long(&mut self, start: usize, length: usize) {
        let more = varint_length(length as u64) - 1;
        let end = self.out.len();
        self.out.resize(end + more, 0);
        self.out.copy_within(start..end, start + more);
        let mut rest = length as u64;
        for byte in &mut self.out[start - 1..start + more] {
            *byte = low_bits(rest) | 0x80;
            rest >>= 7;
        }
        self.out[start + more - 1] &= 0x7f;
    }

    #[inline]
    fn tag(&mut self, field: u32, wire_type: WireType) {
        self.varint(u64::from(field << 3 | wire_type as u32));
    }

    #[inline]
    fn varint(&mut self, mut number: u64) {
        while number >= 0x80 {
            self.out.push(low_bits(number) | 0x80);
            number >>= 7;
        }
        self.out.push(low_bits(number));
    }
}

/// Returns the lowest seven bits.
const fn low_bits(number: u64) -> u8 {
    (number & 0x7f) as u8
}

/// Returns the number of bytes of a varint, one per seven bits.
#[inline]
pub(crate) const fn varint_length(number: u64) -> usize {
    let bits = 64 - (number | 1).leading_zeros() as usize;
    bits.div_ceil(7)
}
