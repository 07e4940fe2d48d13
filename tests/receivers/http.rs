//! A minimal HTTP client that asks a server on loopback for JSON.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use serde_json::Value as Json;

/// Gets the JSON at a URL.
pub(crate) fn get(url: &str) -> Option<Json> {
    request("GET", url, "")
}

/// Posts JSON to a URL, and returns the JSON of the answer.
pub(crate) fn post(url: &str, body: &Json) -> Option<Json> {
    request("POST", url, &body.to_string())
}

/// Sends a request, and returns the JSON of an answer with status 200. With HTTP/1.0 the answer
/// ends with the connection, and no server sends it in chunks.
fn request(method: &str, url: &str, body: &str) -> Option<Json> {
    let rest = url.strip_prefix("http://").expect("a URL of loopback");
    let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
    let mut connection = TcpStream::connect(authority).ok()?;
    connection.set_read_timeout(Some(Duration::from_secs(20))).expect("a timeout that is not zero");
    let length = body.len();
    let head = format!(
        "{method} /{path} HTTP/1.0\r\nHost: {authority}\r\nAccept: application/json\r\n\
         Content-Type: application/json\r\nContent-Length: {length}\r\n\r\n"
    );
    connection.write_all(head.as_bytes()).and_then(|()| connection.write_all(body.as_bytes())).ok()?;
    let mut answer = Vec::new();
    connection.read_to_end(&mut answer).ok()?;
    let answer = String::from_utf8(answer).expect("UTF-8");
    let (head, body) = answer.split_once("\r\n\r\n")?;
    let status = head.split(' ').nth(1)?;
    (status == "200").then(|| serde_json::from_str(body).unwrap_or_else(|error| panic!("{url}: {error}: {body}")))
}
