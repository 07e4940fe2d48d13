//! A proxy on loopback, which tunnels and forwards.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// A proxy that leads to one server, whatever host it is asked for. It ends when it is dropped.
#[derive(Debug)]
pub struct Proxy {
    address: SocketAddr,
    heads: Arc<Mutex<Vec<String>>>,
    stop: watch::Sender<bool>,
    thread: Option<JoinHandle<()>>,
}

impl Proxy {
    /// Starts a proxy to the server at an address. With `refusal`, such as `407 Proxy
    /// Authentication Required`, it only gives that answer.
    ///
    /// # Panics
    ///
    /// Panics if it cannot listen.
    pub fn start(to: SocketAddr, refusal: Option<&'static str>) -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let listener = runtime.block_on(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))).expect("a port");
        let address = listener.local_addr().expect("an address");
        let (stop, mut stopped) = watch::channel(false);
        let heads = Arc::default();
        let seen = Arc::clone(&heads);
        let thread = std::thread::spawn(move || {
            let accept = async {
                while let Ok((stream, _)) = listener.accept().await {
                    let seen = Arc::clone(&seen);
                    // Errors do not matter here, since the client is what is tested.
                    tokio::spawn(async move { drop(lead(stream, to, refusal, &seen).await) });
                }
            };
            runtime.block_on(async {
                tokio::select! {
                    () = accept => {}
                    _ = stopped.wait_for(|&is| is) => {}
                }
            });
        });
        Self { address, heads, stop, thread: Some(thread) }
    }

    /// Returns the URL, with `user` in it, given as `user:password`, unless it is empty.
    pub fn url(&self, user: &str) -> String {
        let at = if user.is_empty() { "" } else { "@" };
        format!("http://{user}{at}{}", self.address)
    }

    /// Returns the heads of the requests that came, as they were sent.
    pub fn heads(&self) -> Vec<String> {
        self.heads.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        let _ = self.stop.send(true);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

async fn lead(
    stream: TcpStream,
    to: SocketAddr,
    refusal: Option<&str>,
    heads: &Mutex<Vec<String>>,
) -> std::io::Result<()> {
    let mut client = BufReader::new(stream);
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        if client.read_line(&mut head).await? == 0 {
            return Ok(());
        }
    }
    heads.lock().unwrap_or_else(PoisonError::into_inner).push(head.clone());
    if let Some(refusal) = refusal {
        client
            .write_all(format!("HTTP/1.1 {refusal}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n").as_bytes())
            .await?;
        return client.shutdown().await;
    }
    let mut server = TcpStream::connect(to).await?;
    if head.starts_with("CONNECT ") {
        client.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n").await?;
    } else {
        server.write_all(head.as_bytes()).await?;
    }
    tokio::io::copy_bidirectional(&mut client, &mut server).await?;
    Ok(())
}
