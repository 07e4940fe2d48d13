//! The kinds of requests, and the ways in which each may end.

/// A kind of request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A text, over HTTP/1.
    Text,
    /// Only the head of an answer.
    Head,
    /// 204, without a body.
    Empty,
    /// 304, without a body.
    NotModified,
    /// A body of several chunks.
    Streamed,
    /// A body of several chunks with a declared length.
    StreamedWithLength,
    /// A body that is sent and returned.
    Upload,
    /// A body of which half is sent before the client leaves.
    UploadCutOff,
    /// The client leaves in the middle of the answer's body.
    DownloadLeft,
    /// The client leaves before there is an answer.
    LeftBeforeHead,
    /// The client leaves a stream of events.
    EventsLeft,
    /// 500.
    ServerError,
    /// The handler panics.
    Panic,
    /// The answer's body fails in the middle.
    BodyError,
    /// No route matches.
    NotFound,
    /// A route matches, but not for this method.
    WrongMethod,
    /// A text, over a connection of HTTP/2 that many requests share.
    Http2Text,
    Http2Head,
    Http2Streamed,
    Http2Upload,
    /// The client resets the stream in the middle of the body.
    Http2Reset,
    /// The client resets the stream before there is an answer.
    Http2ResetBeforeHead,
    /// A call that succeeds.
    Grpc,
    /// A call that the service refuses because of its content.
    GrpcRefused,
    /// A call that the service cannot answer.
    GrpcUnavailable,
}

use Kind::*;

const ALL: [Kind; 25] = [
    Text,
    Head,
    Empty,
    NotModified,
    Streamed,
    StreamedWithLength,
    Upload,
    UploadCutOff,
    DownloadLeft,
    LeftBeforeHead,
    EventsLeft,
    ServerError,
    Panic,
    BodyError,
    NotFound,
    WrongMethod,
    Http2Text,
    Http2Head,
    Http2Streamed,
    Http2Upload,
    Http2Reset,
    Http2ResetBeforeHead,
    Grpc,
    GrpcRefused,
    GrpcUnavailable,
];

impl Kind {
    /// Returns the kind of a request: pseudorandom, and the same in every run.
    pub(crate) fn of(number: u32) -> Self {
        let mut mixed = u64::from(number).wrapping_add(0x9e37_79b9_7f4a_7c15);
        // The finalizer of splitmix64.
        for (shift, factor) in [(30, 0xbf58_476d_1ce4_e5b9_u64), (27, 0x94d0_49bb_1331_11eb)] {
            mixed = (mixed ^ (mixed >> shift)).wrapping_mul(factor);
        }
        ALL[(mixed >> 33) as usize % ALL.len()]
    }

    /// Returns the possible messages of a request's end.
    pub(crate) fn ends(self) -> &'static [&'static str] {
        match self {
            // The handler notices the broken body and answers, although nobody receives the answer.
            UploadCutOff => &["http_response_sent", "http_request_cancelled"],
            DownloadLeft | LeftBeforeHead | Http2Reset | Http2ResetBeforeHead => &["http_request_cancelled"],
            Panic | BodyError => &["http_request_failed"],
            _ => &["http_response_sent"],
        }
    }

    /// Returns the name of a request's stage.
    pub(crate) fn stage(self) -> &'static str {
        match self {
            Text | Http2Text => "GET /text/{number}",
            Head | Http2Head => "HEAD /text/{number}",
            Empty => "GET /empty/{number}",
            NotModified => "GET /unchanged/{number}",
            Streamed | Http2Streamed => "GET /stream/{number}",
            StreamedWithLength => "GET /sized/{number}",
            Upload | UploadCutOff | Http2Upload => "POST /echo/{number}",
            DownloadLeft | Http2Reset => "GET /endless/{number}",
            LeftBeforeHead | Http2ResetBeforeHead => "GET /silent/{number}",
            EventsLeft => "GET /events/{number}",
            ServerError => "GET /error/{number}",
            Panic => "GET /panic/{number}",
            BodyError => "GET /broken/{number}",
            NotFound => "GET",
            WrongMethod => "DELETE /text/{number}",
            Grpc | GrpcRefused | GrpcUnavailable => "POST /opentelemetry.proto.collector.trace.v1.TraceService/Export",
        }
    }

    /// Returns `true` if a handler of the service is called.
    pub(crate) fn is_handled(self) -> bool {
        !matches!(self, NotFound | WrongMethod)
    }
}
