//! A hand-written HTTP/1.1 client, so that a test can send what no real client would.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};

use ragtrace::TraceId;
use serde_json::Value;

use super::PATIENCE;
use super::events::Events;
use super::multipart::Form;

/// A request to be sent.
#[derive(Clone)]
pub(crate) struct Request {
    address: SocketAddr,
    head: String,
    body: Vec<u8>,
    is_chunked: bool,
}

impl Request {
    pub(crate) fn new(address: SocketAddr, method: &str, path: &str) -> Self {
        Self::to(address, &address.to_string(), (method, path))
    }

    /// Creates a request for any host.
    pub(crate) fn to(address: SocketAddr, host: &str, (method, path): (&str, &str)) -> Self {
        let head = format!("{method} {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n");
        Self { address, head, body: Vec::new(), is_chunked: false }
    }

    pub(crate) fn header(mut self, name: &str, value: &str) -> Self {
        for part in [name, ": ", value, "\r\n"] {
            self.head.push_str(part);
        }
        self
    }

    pub(crate) fn bearer(self, token: &str) -> Self {
        self.header("Authorization", &format!("Bearer {token}"))
    }

    pub(crate) fn trace(self, id: TraceId) -> Self {
        self.header("traceparent", &format!("00-{}-00f067aa0ba902b7-01", id.to_hex()))
    }

    pub(crate) fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self
    }

    pub(crate) fn json(self, json: &Value) -> Self {
        self.header("Content-Type", "application/json").body(json.to_string())
    }

    pub(crate) fn form(self, form: Form) -> Self {
        self.header("Content-Type", &Form::media_type()).body(form.close())
    }

    /// Sends the body in chunks, without a declared length.
    pub(crate) fn chunked(mut self) -> Self {
        self.is_chunked = true;
        self
    }

    /// Sends the request and reads the whole answer.
    pub(crate) fn send(self) -> Answer {
        let is_head = self.head.starts_with("HEAD ");
        Connection::open(&self).answer(is_head)
    }

    /// Sends the request and reads the answer as events.
    pub(crate) fn events(self) -> Events {
        Connection::open(&self.header("Accept", "text/event-stream")).events()
    }

    /// Sends the head, and declares that `length` bytes follow.
    pub(crate) fn begin(&self, length: usize) -> Connection {
        let mut connection = Connection::to(self.address);
        connection.write(format!("{}Content-Length: {length}\r\n\r\n", self.head).as_bytes());
        connection
    }
}

/// A connection with a request in progress.
pub(crate) struct Connection {
    stream: TcpStream,
}

impl Connection {
    pub(crate) fn to(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).expect("a connection");
        stream.set_read_timeout(Some(PATIENCE)).expect("a timeout");
        Self { stream }
    }

    fn open(request: &Request) -> Self {
        if !request.is_chunked {
            let mut connection = request.begin(request.body.len());
            connection.try_write(&request.body);
            return connection;
        }
        let mut connection = Self::to(request.address);
        connection.write(format!("{}Transfer-Encoding: chunked\r\n\r\n", request.head).as_bytes());
        for chunk in request.body.chunks(64 << 10) {
            connection.try_write(&[format!("{:x}\r\n", chunk.len()).as_bytes(), chunk, b"\r\n"].concat());
        }
        connection.try_write(b"0\r\n\r\n");
        connection
    }

    pub(crate) fn write(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).expect("the service takes it");
    }

    /// Writes bytes and ignores errors, since the service may answer before it has read everything.
    fn try_write(&mut self, bytes: &[u8]) {
        let _ = self.stream.write_all(bytes);
    }

    /// Reads the whole answer.
    pub(crate) fn answer(self, is_head: bool) -> Answer {
        let (mut answer, mut reader) = self.head();
        if !is_head {
            reader.read_to_end(&mut answer.body).expect("the answer goes on to its end");
        }
        answer.check();
        answer
    }

    /// Reads the answer as events.
    pub(crate) fn events(self) -> Events {
        let (answer, reader) = self.head();
        answer.check();
        Events { answer, reader }
    }

    fn head(self) -> (Answer, Body) {
        let mut reader = BufReader::new(self.stream);
        let mut line = || {
            let mut line = String::new();
            reader.read_line(&mut line).expect("an answer");
            line.trim_end().to_owned()
        };
        let status = line();
        let status = status.split(' ').nth(1).unwrap_or_else(|| panic!("no answer: {status:?}"));
        let status = status.parse().expect("a status");
        let headers: Vec<_> = std::iter::from_fn(|| {
            let line = line();
            let (name, value) = line.split_once(": ")?;
            Some((name.to_ascii_lowercase(), value.to_owned()))
        })
        .collect();
        let answer = Answer { status, headers, body: Vec::new() };
        let is_chunked = answer.header("transfer-encoding") == Some("chunked");
        (answer, if is_chunked { Body::Chunked(reader, 0) } else { Body::Plain(reader) })
    }
}

/// An answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8(self.body.clone()).expect("UTF-8")
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.text()))
    }

    /// Returns the trace, which every answer names.
    pub(crate) fn trace_id(&self) -> TraceId {
        self.header("x-trace-id").expect("a trace").parse().expect("an id")
    }

    /// Checks what holds for every answer.
    fn check(&self) {
        let _ = self.trace_id();
        assert_eq!(self.header("x-content-type-options"), Some("nosniff"));
    }

    /// Checks that the answer is a problem with this status, and returns it.
    #[track_caller]
    pub(crate) fn problem(&self, status: u16) -> Value {
        assert_eq!(self.status, status, "{}", self.text());
        assert_eq!(self.header("content-type"), Some("application/problem+json"));
        let problem = self.json();
        assert_eq!(problem["status"], status);
        assert_eq!(problem["type"], "about:blank");
        let has_text = |name: &str| problem[name].as_str().is_some_and(|text| !text.is_empty());
        assert!(has_text("title") && has_text("detail"), "{problem}");
        assert_eq!(problem["trace_id"], self.trace_id().to_string());
        // A stranger's trace is shown to nobody.
        let instance = (status != 401).then(|| format!("/api/traces/{}", self.trace_id()));
        assert_eq!(problem["instance"].as_str(), instance.as_deref());
        problem
    }
}

/// The body of an answer, without the marks of its chunks.
pub(crate) enum Body {
    Plain(BufReader<TcpStream>),
    /// With the number of bytes left in the chunk.
    Chunked(BufReader<TcpStream>, usize),
}

impl Read for Body {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        match self {
            Self::Plain(reader) => reader.read(buffer),
            Self::Chunked(reader, left) => {
                while *left == 0 {
                    let mut line = String::new();
                    reader.read_line(&mut line)?;
                    match line.trim_end() {
                        // The end of the previous chunk.
                        "" if !line.is_empty() => (),
                        "" => return Err(std::io::ErrorKind::UnexpectedEof.into()),
                        "0" => return Ok(0),
                        size => *left = usize::from_str_radix(size, 16).expect("a size"),
                    }
                }
                let wanted = buffer.len().min(*left);
                let read = reader.read(&mut buffer[..wanted])?;
                *left -= read;
                Ok(read)
            }
        }
    }
}
