//! A server that accepts everything and reports the number of bytes it has received.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicU64, Ordering};

/// The number of bytes in bodies, and the number of requests.
static BYTES: AtomicU64 = AtomicU64::new(0);
static REQUESTS: AtomicU64 = AtomicU64::new(0);

/// The response for the information paths of LangSmith and of Datadog's Agent, which are the same
/// path. Each client reads its own members.
const INFO: &str = concat!(
    r#"{"version":"7.70.0","endpoints":["/v0.4/traces","/v0.5/traces","/evp_proxy/v2/","/evp_proxy/v4/"],"#,
    r#""instance_flags":{"zstd_compression_enabled":true},"batch_ingest_config":{"use_multipart_endpoint":true,"#,
    r#""size_limit":100,"size_limit_bytes":20971520,"scale_up_qsize_trigger":1000,"scale_up_nthreads_limit":16,"#,
    r#""scale_down_nempty_trigger":4}}"#,
);

/// Prints the server's address, and serves until the process is killed.
pub fn serve() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    println!("{}", listener.local_addr().expect("an address"));
    for connection in listener.incoming().flatten() {
        std::thread::spawn(move || converse(&connection));
    }
}

/// Responds to requests on one connection until it is closed.
fn converse(connection: &TcpStream) -> Option<()> {
    let mut reader = BufReader::with_capacity(1 << 18, connection);
    loop {
        let (mut line, mut path, mut length, mut chunked) = (String::new(), String::new(), 0_u64, false);
        loop {
            line.clear();
            if reader.read_line(&mut line).ok()? == 0 {
                return None;
            }
            let header = line.trim_end();
            match header.split_once(':') {
                _ if header.is_empty() => break,
                _ if path.is_empty() => header.split(' ').nth(1)?.clone_into(&mut path),
                Some((name, value)) if name.eq_ignore_ascii_case("content-length") => {
                    length = value.trim().parse().ok()?
                }
                Some((name, value)) if name.eq_ignore_ascii_case("transfer-encoding") => {
                    chunked = value.trim().eq_ignore_ascii_case("chunked");
                }
                _ => {}
            }
        }
        if chunked {
            length = 0;
            loop {
                line.clear();
                reader.read_line(&mut line).ok()?;
                let size = u64::from_str_radix(line.trim().split(';').next()?, 16).ok()?;
                skip(&mut reader, size + 2)?;
                length += size;
                if size == 0 {
                    break;
                }
            }
        } else {
            skip(&mut reader, length)?;
        }
        let counts = match path.as_str() {
            "/counts" => format!(
                r#"{{"bytes":{},"requests":{}}}"#,
                BYTES.swap(0, Ordering::Relaxed),
                REQUESTS.swap(0, Ordering::Relaxed)
            ),
            _ => String::new(),
        };
        if length > 0 {
            BYTES.fetch_add(length, Ordering::Relaxed);
            REQUESTS.fetch_add(1, Ordering::Relaxed);
        }
        let (status, kind, body) = match path.as_str() {
            "/counts" => ("200 OK", "application/json", counts.as_str()),
            path if path.ends_with("/v1/traces") || path.ends_with("/v1/logs") => {
                ("200 OK", "application/x-protobuf", "")
            }
            path if path.ends_with("/info") => ("200 OK", "application/json", INFO),
            _ => ("202 Accepted", "application/json", "{}"),
        };
        let head = format!("HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {}\r\n\r\n{body}", body.len());
        (&mut &*connection).write_all(head.as_bytes()).ok()?;
    }
}

fn skip(reader: &mut impl Read, bytes: u64) -> Option<()> {
    let skipped = std::io::copy(&mut reader.take(bytes), &mut std::io::sink()).ok()?;
    (skipped == bytes).then_some(())
}
