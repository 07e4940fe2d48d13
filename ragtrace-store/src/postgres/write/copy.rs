//! Encodes rows in the binary format of `COPY` (PostgreSQL 15, "COPY", section "Binary Format").

use super::row::{Digits, Row};

/// 2000-01-01, PostgreSQL's epoch, in microseconds since 1970.
const EPOCH: i64 = 946_684_800_000_000;
const SIGNATURE: &[u8] = b"PGCOPY\n\xff\r\n\0";
/// The size at which a chunk is sent, in bytes. It is small enough that the server processes rows
/// while the next ones are encoded and does not buffer the whole batch, and large enough that the
/// overhead per chunk does not matter.
const CHUNK_BYTES: usize = 64 << 10;
/// The version number of `jsonb` on the wire, which precedes its text.
const JSONB: u8 = 1;

/// The data of a `COPY`, taken out in chunks while it is encoded.
pub(super) struct Data {
    chunk: Vec<u8>,
    /// The number of the transaction that writes the rows.
    written: i64,
}

impl Data {
    /// Returns the header, for rows written by the transaction of this number.
    pub(super) fn begin(written: i64) -> Self {
        let mut chunk = Vec::with_capacity(CHUNK_BYTES + CHUNK_BYTES / 4);
        chunk.extend_from_slice(SIGNATURE);
        // The flags and the length of the header's extension, both zero.
        chunk.extend_from_slice(&[0; 8]);
        Self { chunk, written }
    }

    /// Returns `true` if the current chunk is large enough to be sent.
    pub(super) fn is_enough(&self) -> bool {
        self.chunk.len() >= CHUNK_BYTES
    }

    pub(super) fn chunk(&self) -> &[u8] {
        &self.chunk
    }

    /// Begins the next chunk.
    pub(super) fn next_chunk(&mut self) {
        self.chunk.clear();
    }

    pub(super) fn end(&mut self) {
        self.chunk.extend_from_slice(&(-1_i16).to_be_bytes());
    }

    pub(super) fn row(&mut self, row: &Row<'_>) {
        const COLUMNS: i16 = 34;
        self.chunk.extend_from_slice(&COLUMNS.to_be_bytes());
        self.bytes(Some(row.id.as_bytes()));
        self.bytes(Some(&(row.timestamp - EPOCH).to_be_bytes()));
        self.bytes(row.trace_id.as_ref().map(|id| id.as_bytes().as_slice()));
        self.text(row.span_id.as_ref().map(Digits::as_str));
        self.text(row.parent_span_id.as_ref().map(Digits::as_str));
        self.bytes(Some(&[u8::from(row.local_root)]));
        self.text(row.request_id.as_deref());
        self.text(row.user_id.as_deref());
        self.text(row.tenant_id.as_deref());
        self.text(row.session_id.as_deref());
        self.text(row.request_type.as_deref());
        self.text(Some(&row.logger));
        self.text(Some(row.level));
        self.text(Some(&row.message));
        self.text(Some(row.event));
        self.text(row.stage.as_deref());
        self.text(row.kind);
        self.bytes(row.duration_ms.map(f64::to_be_bytes).as_ref().map(<[u8; 8]>::as_slice));
        self.bytes(row.item_count.map(i64::to_be_bytes).as_ref().map(<[u8; 8]>::as_slice));
        self.json(row.context.as_deref());
        self.json(row.metrics.as_deref());
        self.json(row.error.as_deref());
        self.text(row.stack_trace.as_deref());
        self.json(row.source.as_deref());
        self.text(row.service.as_deref());
        self.text(row.environment.as_deref());
        self.text(row.version.as_deref());
        self.text(row.host.as_deref());
        self.bytes(Some(row.instance.as_bytes()));
        self.text(row.thread.as_deref());
        self.json(row.links.as_deref());
        self.json(row.used.as_deref());
        self.json(row.generated.as_deref());
        self.bytes(Some(&self.written.to_be_bytes()));
    }

    fn text(&mut self, text: Option<&str>) {
        self.bytes(text.map(str::as_bytes));
    }

    fn json(&mut self, json: Option<&str>) {
        match json {
            None => self.bytes(None),
            Some(json) => {
                self.length(Some(json.len() + 1));
                self.chunk.push(JSONB);
                self.chunk.extend_from_slice(json.as_bytes());
            }
        }
    }

    fn bytes(&mut self, bytes: Option<&[u8]>) {
        self.length(bytes.map(<[u8]>::len));
        self.chunk.extend_from_slice(bytes.unwrap_or_default());
    }

    /// Appends a length; NULL has the length -1. A length that does not fit is clamped, since the
    /// server refuses such a value anyway.
    fn length(&mut self, length: Option<usize>) {
        let length = length.map_or(-1, |length| i32::try_from(length).unwrap_or(i32::MAX));
        self.chunk.extend_from_slice(&length.to_be_bytes());
    }
}
