//! A double of an embedding service: a server on the loopback interface with the limits that
//! `OpenAI` documents for `POST /v1/embeddings`, which does what a test scripts.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// The length of the service's vectors.
pub(crate) const DIMENSIONS: usize = 4;

/// The limits of a request: texts, tokens of a text, tokens of all.
const LIMITS: (usize, usize, usize) = (2_048, 8_192, 300_000);

/// The service's behaviour towards one request.
#[derive(Clone)]
pub(crate) enum Reply {
    /// It embeds, in the order of the texts.
    Vectors,
    /// It embeds, in reverse order.
    Reversed,
    /// It embeds, with vectors in Base64.
    Base64,
    /// It answers with a status, further header lines, and a body.
    Status(u16, &'static str, String),
    /// It closes the connection without an answer.
    Close,
    /// It never answers.
    Hang,
}

/// A request as the service got it.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    pub(crate) head: String,
    pub(crate) texts: Vec<String>,
    pub(crate) body: Value,
}

/// The service.
pub(crate) struct Service {
    pub(crate) url: String,
    seen: Arc<Mutex<Vec<Seen>>>,
    /// The number of connections that their clients closed during a request.
    left: watch::Receiver<usize>,
}

impl Service {
    /// Starts a service that replies to each request as `script` says, by its number from 0.
    pub(crate) async fn start(script: impl Fn(usize) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}/v1", listener.local_addr().expect("an address"));
        let seen = Arc::new(Mutex::new(Vec::new()));
        let (leave, left) = watch::channel(0);
        let (script, log) = (Arc::new(script), Arc::clone(&seen));
        tokio::spawn(async move {
            while let Ok((connection, _)) = listener.accept().await {
                let (script, log, leave) = (Arc::clone(&script), Arc::clone(&log), leave.clone());
                tokio::spawn(async move {
                    serve(connection, &*script, &log, &leave).await;
                });
            }
        });
        Self { url, seen, left }
    }

    /// Returns the requests so far.
    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.seen.lock().expect("no panic").clone()
    }

    /// Waits until a client has closed its connection during a request.
    pub(crate) async fn was_left(&mut self) {
        let left = self.left.wait_for(|count| *count > 0);
        tokio::time::timeout(Duration::from_mins(1), left).await.expect("within a minute").expect("the service runs");
    }
}

async fn serve(
    mut connection: TcpStream,
    script: &(impl Fn(usize) -> Reply + Send + Sync),
    log: &Mutex<Vec<Seen>>,
    leave: &watch::Sender<usize>,
) {
    while let Some((head, body)) = request(&mut connection).await {
        let body: Value = serde_json::from_slice(&body).expect("JSON");
        let texts: Vec<String> = serde_json::from_value(body["input"].clone()).expect("texts");
        let number = {
            let mut log = log.lock().expect("no panic");
            log.push(Seen { head: head.clone(), texts: texts.clone(), body: body.clone() });
            log.len() - 1
        };
        assert!(head.starts_with("POST /v1/embeddings HTTP/1.1\r\n"), "{head}");
        let (status, lines, body) = match script(number) {
            Reply::Close => return,
            Reply::Hang => {
                // Nothing more comes but the end.
                let _ = connection.read(&mut [0]).await;
                leave.send_modify(|count| *count += 1);
                return;
            }
            Reply::Status(status, lines, body) => (status, lines, body),
            reply => answer(&reply, &texts),
        };
        let reason = if status == 200 { "OK" } else { "No" };
        let head = format!(
            "HTTP/1.1 {status} {reason}\r\ncontent-type: application/json\r\n{lines}content-length: {}\r\n\r\n",
            body.len()
        );
        if connection.write_all(&[head.as_bytes(), body.as_bytes()].concat()).await.is_err() {
            return;
        }
    }
}

/// Reads the head and the body of a request, or returns `None` at the end.
async fn request(connection: &mut TcpStream) -> Option<(String, Vec<u8>)> {
    let mut bytes = Vec::new();
    let end = loop {
        if let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
            break end + 4;
        }
        if connection.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    };
    let head = String::from_utf8(bytes[..end].to_vec()).expect("ASCII");
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")).expect("a length");
    let length: usize = length.parse().expect("a number");
    while bytes.len() < end + length {
        if connection.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    }
    Some((head, bytes[end..].to_vec()))
}

/// Returns the vector of a text, which tells its length and its beginning.
#[expect(clippy::cast_precision_loss, reason = "texts of tests are short")]
pub(crate) fn vector(text: &str) -> [f32; DIMENSIONS] {
    let byte = |at: usize| text.as_bytes().get(at).copied().map_or(0.0, f32::from);
    [text.len() as f32, byte(0), byte(1), byte(2)]
}

fn answer(reply: &Reply, texts: &[String]) -> (u16, &'static str, String) {
    // Tokens of a double are words.
    let tokens: Vec<usize> = texts.iter().map(|text| text.split_whitespace().count()).collect();
    let (most_texts, most_of_one, most_of_all) = LIMITS;
    if texts.len() > most_texts || tokens.iter().sum::<usize>() > most_of_all {
        return (400, "", refusal("too many inputs in this request"));
    }
    if tokens.iter().any(|tokens| *tokens > most_of_one) {
        return (400, "", refusal("This model's maximum context length is 8192 tokens"));
    }
    let entry = |(index, text): (usize, &String)| {
        let vector = vector(text);
        let embedding = match reply {
            Reply::Base64 => json!(base64(&vector.iter().flat_map(|value| value.to_le_bytes()).collect::<Vec<_>>())),
            _ => json!(vector),
        };
        json!({"object": "embedding", "index": index, "embedding": embedding})
    };
    let mut data: Vec<Value> = texts.iter().enumerate().map(entry).collect();
    if matches!(reply, Reply::Reversed) {
        data.reverse();
    }
    let used = tokens.iter().sum::<usize>();
    let body = json!({"object": "list", "data": data, "usage": {"prompt_tokens": used, "total_tokens": used}});
    (200, "", body.to_string())
}

/// Returns the body of an error.
pub(crate) fn refusal(message: &str) -> String {
    json!({"error": {"message": message, "type": "invalid_request_error", "code": null}}).to_string()
}

fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for three in bytes.chunks(3) {
        let bits = (0..3).fold(0_u32, |bits, at| bits << 8 | u32::from(three.get(at).copied().unwrap_or(0)));
        for digit in 0..4 {
            let index = usize::try_from(bits >> (18 - 6 * digit) & 63).expect("six bits");
            text.push(if digit > three.len() { '=' } else { char::from(DIGITS[index]) });
        }
    }
    text
}
