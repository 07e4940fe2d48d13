//! A plain HTTP request to a process on this network, with bounds on time and size.

use std::time::Duration;

use http_body_util::{BodyExt, Empty, Limited};
use hyper::body::Bytes;
use hyper::header::HOST;
use hyper::{Request, Uri};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

use crate::arguments::duration;

/// The largest answer that is read, in bytes.
const LONGEST: usize = 16 << 20;

/// Parses the URL of a page.
pub(super) fn parse(url: &str) -> Result<Uri, String> {
    let uri = url.parse::<Uri>().ok().filter(|uri| uri.scheme_str() == Some("http"));
    let uri = uri.filter(|uri| uri.authority().is_some_and(|authority| !authority.as_str().contains('@')));
    uri.ok_or_else(|| "give a URL such as http://127.0.0.1:8080/metrics: plain HTTP, without a password".to_owned())
}

/// Returns the page at `uri`, or the reason why there is none.
pub(super) async fn get(uri: &Uri, timeout: Duration) -> Result<String, String> {
    match tokio::time::timeout(timeout, fetch(uri)).await {
        Ok(Ok(text)) => Ok(text),
        Ok(Err(why)) => Err(format!("{uri} cannot be read: {why}")),
        Err(_) => Err(format!("{uri} does not answer within {}", duration::short(timeout))),
    }
}

async fn fetch(uri: &Uri) -> Result<String, String> {
    let (host, authority) =
        (uri.host().unwrap_or_default(), uri.authority().map_or("", |authority| authority.as_str()));
    let address = (host.trim_matches(['[', ']']), uri.port_u16().unwrap_or(80));
    let stream = TcpStream::connect(address).await.map_err(|error| error.to_string())?;
    let (mut sender, connection) =
        hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.map_err(|error| error.to_string())?;
    let path =
        uri.path_and_query().map_or("/metrics", |path| if path.as_str() == "/" { "/metrics" } else { path.as_str() });
    let request =
        Request::get(path).header(HOST, authority).body(Empty::<Bytes>::new()).map_err(|error| error.to_string())?;
    // The connection does its work only while it is polled. It ends with its sender.
    tokio::spawn(async move { drop(connection.await) });
    let answer = sender.send_request(request).await.map_err(|error| error.to_string())?;
    if !answer.status().is_success() {
        return Err(format!("it answers with status {}", answer.status()));
    }
    let body = Limited::new(answer.into_body(), LONGEST).collect().await;
    let body = body.map_err(|error| format!("its answer is broken, or longer than {} MiB: {error}", LONGEST >> 20))?;
    Ok(String::from_utf8_lossy(&body.to_bytes()).into_owned())
}
