//! The `traceparent` header of W3C Trace Context (level 2, section 3.2): `00-{trace id}-{parent
//! id}-{flags}`.

use super::caller::Caller;
use super::request_context::RequestContext;
use crate::parse::ParseError;
use crate::{SpanId, TraceId, id};

/// The header's form, for error messages.
const EXPECTED: &str = "a traceparent (00-, 32 hex digits, -, 16 hex digits, -, 2 hex digits, no id all zero)";
/// The length of a header of version 00, and of the part of a later version that is read.
const LENGTH: usize = 55;

impl RequestContext {
    /// Parses a `traceparent` header and creates a context that continues the caller's trace, with
    /// a new request id.
    ///
    /// Parsing is strict, as the specification requires for a version that is known: lower-case hex
    /// digits, no id of zeros, exactly 55 characters. Of a header with a later version, the first
    /// 55 characters are read, provided that a dash follows if there is more. Version `ff` is
    /// invalid.
    ///
    /// # Errors
    ///
    /// Returns an error if the header is malformed.
    ///
    /// # Examples
    ///
    /// ```
    /// use ragtrace::RequestContext;
    ///
    /// let header = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    /// let request = RequestContext::from_traceparent(header)?;
    /// assert_eq!(request.trace_id().to_hex(), "0af7651916cd43dd8448eb211c80319c");
    /// assert_eq!(request.traceparent(), header);
    /// # Ok::<(), ragtrace::ParseError>(())
    /// ```
    pub fn from_traceparent(header: &str) -> Result<Self, ParseError> {
        let caller = Caller::of_traceparent(header).ok_or_else(|| ParseError::new(EXPECTED, header))?;
        Ok(Self::continuing(caller).with_fresh_request_id())
    }

    /// Returns the `traceparent` header for an outgoing call: version 00, the trace id, the current
    /// span (or a new id if no stage has begun), and the flags.
    ///
    /// If the request continues a caller's trace, the flags are the caller's, as W3C Trace Context
    /// level 2 requires of the random flag. If the trace began here, they are `03`: sampled, with a
    /// random id. An id set by [`RequestContext::with_trace_id`] that is not a UUID of version 4 or
    /// 7 does not count as random, and the flags are `01`.
    pub fn traceparent(&self) -> String {
        id::hex(&self.traceparent_bytes()).to_owned()
    }

    /// Returns the header of [`RequestContext::traceparent`] as ASCII bytes.
    #[doc(hidden)]
    pub fn traceparent_bytes(&self) -> [u8; LENGTH] {
        let (span, flags) = (self.span.unwrap_or_else(SpanId::new), self.request.trace_flags);
        let (high, low) = self.trace_id().halves();
        let mut header = [b'-'; LENGTH];
        header[..2].copy_from_slice(b"00");
        header[3..19].copy_from_slice(&id::digits_of(high));
        header[19..35].copy_from_slice(&id::digits_of(low));
        header[36..52].copy_from_slice(&id::digits_of(span.as_u64()));
        header[53..].copy_from_slice(&id::digits_of(flags.into())[14..]);
        header
    }
}

impl Caller {
    /// Parses a `traceparent` header, as strictly as [`RequestContext::from_traceparent`] does.
    pub fn of_traceparent(header: &str) -> Option<Self> {
        let (known, rest) = header.as_bytes().split_first_chunk::<LENGTH>()?;
        let has_dashes = known[2] == b'-' && known[35] == b'-' && known[52] == b'-';
        let version = id::number_of(&known[..2])?;
        let length_fits = rest.is_empty() || version != 0 && rest[0] == b'-';
        (has_dashes && version != 0xff && length_fits).then_some(())?;
        let (high, low) = (id::number_of(&known[3..19])?, id::number_of(&known[19..35])?);
        Some(Self {
            trace_id: TraceId::from_halves(high, low)?,
            parent: Some(SpanId::from_u64(id::number_of(&known[36..52])?)?),
            flags: u8::try_from(id::number_of(&known[53..])?).ok()?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EXAMPLE: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

    #[test]
    fn the_specifications_example_is_continued() {
        let context = RequestContext::from_traceparent(EXAMPLE).expect("it is valid");
        assert_eq!(context.trace_id().to_hex(), "0af7651916cd43dd8448eb211c80319c");
        assert_eq!(context.span_id().map(|id| id.to_string()).as_deref(), Some("b7ad6b7169203331"));
        assert_eq!(context.traceparent(), EXAMPLE);
    }

    #[test]
    fn a_later_version_is_read_as_far_as_it_is_known() {
        let later = EXAMPLE.replacen("00", "cc", 1);
        assert!(RequestContext::from_traceparent(&format!("{later}-what-comes")).is_ok());
        assert!(RequestContext::from_traceparent(&format!("{later}.what-comes")).is_err());
    }

    #[test]
    fn a_callers_flags_are_sent_on_as_far_as_level_2_knows_them() {
        for (received, sent) in [("00", "00"), ("01", "01"), ("02", "02"), ("03", "03"), ("fe", "02"), ("fc", "00")] {
            let with = |version: &str, flags: &str| format!("{version}{}{flags}", &EXAMPLE[2..53]);
            for header in [with("00", received), with("cc", received) + "-more"] {
                let context = RequestContext::from_traceparent(&header).expect("it is valid");
                assert_eq!(context.traceparent(), with("00", sent));
            }
        }
    }

    #[test]
    fn what_a_caller_says_of_its_trace_is_not_said_of_another() {
        let caller = RequestContext::from_traceparent(&EXAMPLE.replace("-01", "-00")).expect("it is valid");
        let caller = caller.with_tracestate("vendor=1");
        let same = caller.clone().with_trace_id(caller.trace_id());
        assert_eq!((same.traceparent(), same.tracestate()), (caller.traceparent(), Some("vendor=1")));
        let random = caller.clone().with_trace_id(TraceId::new());
        assert_eq!((random.traceparent().ends_with("-03"), random.tracestate()), (true, None));
        // An id that is not a UUID of a version with random bits.
        let counted = caller.with_trace_id(TraceId::from_u128(7).expect("not zero"));
        assert!(counted.traceparent().ends_with("-01"));
        // The caller's span is not the parent of a run in another trace either.
        let caller = RequestContext::from_traceparent(EXAMPLE).expect("it is valid");
        let caller = caller.with_langsmith_parent("20261126T101500000000Z0199a5b2-6f1e-7c3a-8a4b-0123456789ab");
        assert!(caller.span_id().is_some() && caller.langsmith_parent().is_some());
        let other = caller.with_trace_id(TraceId::new());
        assert_eq!((other.span_id(), other.request.remote_parent, other.langsmith_parent()), (None, None, None));
        let given = RequestContext::new().with_given_trace_id(TraceId::new());
        assert!(given.traceparent().ends_with("-01"), "nobody knows how it was made");
    }

    #[test]
    fn malformed_headers_are_refused() {
        let zero_trace = "00-00000000000000000000000000000000-b7ad6b7169203331-01";
        let zero_span = "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01";
        let longer = format!("{EXAMPLE}-00");
        let upper = EXAMPLE.to_uppercase();
        let forbidden = EXAMPLE.replacen("00", "ff", 1);
        let split = EXAMPLE.replace('f', "ö");
        for header in ["", "00", zero_trace, zero_span, &longer, &upper, &forbidden, &split, &EXAMPLE[..54]] {
            assert!(RequestContext::from_traceparent(header).is_err(), "{header:?}");
        }
    }
}
