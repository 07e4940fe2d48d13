//! A request as a server received it.

use std::io::Read;

/// A complete request that a server received.
#[derive(Clone, Debug)]
pub struct Received {
    /// The method.
    pub method: String,
    /// The text after the method: a path and a query, or a whole URL if the client speaks to a
    /// proxy.
    pub target: String,
    /// The headers in their order, with names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body, decompressed.
    pub body: Vec<u8>,
    /// The body as it was sent.
    pub raw_body: Vec<u8>,
    /// The number of the connection that it came over, counted from 0.
    pub connection: usize,
    /// `true` if it came by HTTP/2.
    pub is_http2: bool,
}

impl Received {
    /// Returns the path, without the query.
    pub fn path(&self) -> &str {
        self.target.split('?').next().unwrap_or_default()
    }

    /// Returns the value of a header.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    /// Returns the body as JSON.
    ///
    /// # Panics
    ///
    /// Panics if the body is not JSON.
    pub fn json(&self) -> serde_json::Value {
        match serde_json::from_slice(&self.body) {
            Ok(json) => json,
            Err(error) => panic!("the body is no JSON: {error}: {}", String::from_utf8_lossy(&self.body)),
        }
    }

    /// Returns `true` if the body contains this text.
    pub fn mentions(&self, text: &str) -> bool {
        self.body.windows(text.len()).any(|window| window == text.as_bytes())
    }
}

/// Decompresses a body.
///
/// # Panics
///
/// Panics if it does not match its encoding to the last byte, since a real server would refuse it.
pub(crate) fn decompressed(raw: &[u8], encoding: Option<&str>) -> Vec<u8> {
    let mut body = Vec::new();
    match encoding {
        None | Some("identity") => body.extend_from_slice(raw),
        Some("gzip") => {
            let mut decoder = flate2::bufread::GzDecoder::new(raw);
            decoder.read_to_end(&mut body).expect("a body of gzip");
            assert!(decoder.into_inner().is_empty(), "there is something behind the gzip");
        }
        Some("deflate") => {
            flate2::bufread::ZlibDecoder::new(raw).read_to_end(&mut body).expect("a body of deflate");
        }
        Some("zstd") => {
            let mut decoder = ruzstd::decoding::StreamingDecoder::new(raw).expect("a body of zstd");
            decoder.read_to_end(&mut body).expect("a whole body of zstd");
        }
        Some(unknown) => panic!("no server knows the encoding {unknown:?}"),
    }
    body
}
