//! A TCP proxy that delays bytes, cuts connections, or discards what it receives.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// The way in which the proxy treats bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Weather {
    /// Bytes are forwarded.
    Clear,
    /// Bytes are forwarded after this delay.
    Delay(Duration),
    /// Connections are cut, and new ones are cut at once.
    Cut,
    /// Connections are cut as soon as the server answers: the request was handled, but the client
    /// never learns of it.
    CutAnswers,
    /// Bytes are discarded, and connections stay open.
    BlackHole,
}

/// A proxy between a client and `upstream`, until it is dropped.
#[derive(Debug)]
pub struct Proxy {
    address: SocketAddr,
    weather: watch::Sender<Weather>,
    connections: Arc<AtomicUsize>,
    tasks: Arc<Mutex<Vec<tokio::task::JoinHandle<()>>>>,
}

impl Proxy {
    /// Creates a proxy that listens on a free port of this machine.
    ///
    /// # Errors
    ///
    /// Returns an error if there is no free port.
    pub async fn to(upstream: SocketAddr) -> std::io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let (weather, seen) = watch::channel(Weather::Clear);
        let connections = Arc::new(AtomicUsize::new(0));
        let tasks = Arc::new(Mutex::new(Vec::new()));
        let (counted, spawned) = (Arc::clone(&connections), Arc::clone(&tasks));
        let accepting = tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                counted.fetch_add(1, Ordering::Relaxed);
                let task = tokio::spawn(connection(client, upstream, seen.clone()));
                spawned.lock().unwrap_or_else(PoisonError::into_inner).push(task);
            }
        });
        tasks.lock().unwrap_or_else(PoisonError::into_inner).push(accepting);
        Ok(Self { address, weather, connections, tasks })
    }

    /// Returns the address that clients connect to.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Sets the weather, for open connections too.
    pub fn set(&self, weather: Weather) {
        self.weather.send_replace(weather);
    }

    /// Returns the number of connections accepted.
    pub fn connections(&self) -> usize {
        self.connections.load(Ordering::Relaxed)
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.tasks.lock().unwrap_or_else(PoisonError::into_inner).iter().for_each(tokio::task::JoinHandle::abort);
    }
}

async fn connection(client: TcpStream, upstream: SocketAddr, weather: watch::Receiver<Weather>) {
    let Ok(server) = TcpStream::connect(upstream).await else { return };
    let (from_client, to_client) = client.into_split();
    let (from_server, to_server) = server.into_split();
    let mut cut = weather.clone();
    tokio::select! {
        () = pump(from_client, to_server, weather.clone(), false) => {}
        () = pump(from_server, to_client, weather, true) => {}
        _ = cut.wait_for(|weather| *weather == Weather::Cut) => {}
    }
}

async fn pump(
    mut from: tokio::net::tcp::OwnedReadHalf,
    mut to: tokio::net::tcp::OwnedWriteHalf,
    mut weather: watch::Receiver<Weather>,
    is_answer: bool,
) {
    let mut bytes = vec![0; 16 << 10];
    while let Ok(read @ 1..) = from.read(&mut bytes).await {
        let now = *weather.borrow_and_update();
        match now {
            Weather::Clear => {}
            Weather::Delay(delay) => tokio::time::sleep(delay).await,
            Weather::CutAnswers if !is_answer => {}
            Weather::Cut | Weather::CutAnswers => return,
            Weather::BlackHole => {
                // Bytes were lost, so the connection can no longer be used.
                let _ = weather.wait_for(|weather| *weather != Weather::BlackHole).await;
                return;
            }
        }
        if to.write_all(&bytes[..read]).await.is_err() {
            return;
        }
    }
}
