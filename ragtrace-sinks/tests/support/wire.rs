//! A hand-written HTTP/1.1 server side, so that it can break off anywhere.

use std::fmt::Write;
use std::io;

use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader};

use crate::answer::{Answer, Manner};
use crate::received::{Received, decompressed};

/// A connection to a client.
pub(crate) trait Io: AsyncRead + AsyncWrite + Unpin + Send {}

impl<T: AsyncRead + AsyncWrite + Unpin + Send> Io for T {}

/// The fate of a connection after an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum After {
    Keep,
    Close,
    Reset,
    /// Keep it open, and silent.
    Hang,
}

/// Reads a request, or returns `None` if the client left before its first byte.
pub(crate) async fn read(io: &mut BufReader<Box<dyn Io>>, connection: usize) -> io::Result<Option<Received>> {
    let Some(first) = line(io).await? else { return Ok(None) };
    let mut words = first.split(' ');
    let (method, target) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let mut headers = Vec::new();
    while let Some(line) = line(io).await?
        && !line.is_empty()
    {
        let (name, value) = line.split_once(':').ok_or(io::ErrorKind::InvalidData)?;
        headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
    }
    let header = |name: &str| headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str());
    let mut raw_body = Vec::new();
    if let Some(length) = header("content-length") {
        raw_body.resize(length.parse().map_err(|_| io::ErrorKind::InvalidData)?, 0);
        io.read_exact(&mut raw_body).await?;
    } else if header("transfer-encoding").is_some() {
        chunks(io, &mut raw_body).await?;
    }
    let body = decompressed(&raw_body, header("content-encoding"));
    let (method, target) = (method.to_owned(), target.to_owned());
    Ok(Some(Received { method, target, headers, body, raw_body, connection, is_http2: false }))
}

async fn line(io: &mut BufReader<Box<dyn Io>>) -> io::Result<Option<String>> {
    let mut line = String::new();
    let length = io.read_line(&mut line).await?;
    Ok((length > 0).then(|| line.trim_end().to_owned()))
}

async fn chunks(io: &mut BufReader<Box<dyn Io>>, body: &mut Vec<u8>) -> io::Result<()> {
    while let Some(size) = line(io).await? {
        let size = usize::from_str_radix(&size, 16).map_err(|_| io::ErrorKind::InvalidData)?;
        let begin = body.len();
        body.resize(begin + size, 0);
        io.read_exact(&mut body[begin..]).await?;
        line(io).await?;
        if size == 0 {
            break;
        }
    }
    Ok(())
}

/// Writes an answer in its manner.
pub(crate) async fn write(io: &mut BufReader<Box<dyn Io>>, answer: &Answer) -> io::Result<After> {
    let (half, whole) = (answer.body.len() / 2, answer.body.len());
    let (sent, after) = match answer.manner {
        Manner::Well => (whole, After::Keep),
        Manner::ThenCloses => (whole, After::Close),
        Manner::ResetsInBody => (half, After::Reset),
        Manner::HangsInBody => (half, After::Hang),
        Manner::ResetsAtOnce => return Ok(After::Reset),
        Manner::HangsAtOnce => return Ok(After::Hang),
        Manner::Garbage => {
            io.write_all(b"\x15\x03\x03 not a word of HTTP\r\n\r\n").await?;
            io.flush().await?;
            return Ok(After::Close);
        }
        Manner::Endless => return endless(io, answer).await,
    };
    io.write_all(head(answer, Some(whole)).as_bytes()).await?;
    io.write_all(&answer.body[..sent]).await?;
    io.flush().await?;
    Ok(after)
}

fn head(answer: &Answer, length: Option<usize>) -> String {
    let mut head = format!("HTTP/1.1 {} As it is\r\n", answer.status);
    for (name, value) in &answer.headers {
        write!(head, "{name}: {value}\r\n").expect("writing to a text cannot fail");
    }
    if let Some(length) = length.filter(|_| answer.status != 204 && answer.status != 304) {
        write!(head, "content-length: {length}\r\n").expect("writing to a text cannot fail");
    }
    head.push_str("\r\n");
    head
}

async fn endless(io: &mut BufReader<Box<dyn Io>>, answer: &Answer) -> io::Result<After> {
    io.write_all(head(answer, None).as_bytes()).await?;
    loop {
        io.write_all(&[b'x'; 4096]).await?;
        io.flush().await?;
    }
}
