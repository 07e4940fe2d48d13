//! A connection that breaks at a point of the test's choosing.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// Where connections break.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cut {
    /// When the client says this; the server never hears it.
    Before(&'static str),
    /// When the server has heard this and answered it; the client never hears the answer.
    After(&'static str),
}

/// Passes on what both sides say, and breaks the first connection that comes to the point.
pub(crate) struct Proxy {
    pub(crate) address: SocketAddr,
    cut: Arc<Mutex<Option<Cut>>>,
}

impl Proxy {
    pub(crate) async fn to(port: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("an address");
        let cut = Arc::new(Mutex::new(None));
        let shared = Arc::clone(&cut);
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let Ok(server) = TcpStream::connect(("127.0.0.1", port)).await else { continue };
                tokio::spawn(pass(client, server, Arc::clone(&shared)));
            }
        });
        Self { address, cut }
    }

    pub(crate) fn cut(&self, cut: Cut) {
        *self.cut.lock().expect("not poisoned") = Some(cut);
    }

    pub(crate) fn is_cut(&self) -> bool {
        self.cut.lock().expect("not poisoned").is_none()
    }
}

async fn pass(mut client: TcpStream, mut server: TcpStream, cut: Arc<Mutex<Option<Cut>>>) -> std::io::Result<()> {
    let (mut said, mut answered) = (vec![0; 1 << 16], vec![0; 1 << 16]);
    loop {
        tokio::select! {
            heard = client.read(&mut said) => {
                let heard = &said[..heard?];
                let says = |what: &str| heard.windows(what.len()).any(|window| window == what.as_bytes());
                let point = *cut.lock().expect("not poisoned");
                match point {
                    Some(Cut::Before(what)) if says(what) => {
                        *cut.lock().expect("not poisoned") = None;
                        return Ok(());
                    }
                    Some(Cut::After(what)) if says(what) => {
                        *cut.lock().expect("not poisoned") = None;
                        server.write_all(heard).await?;
                        // What it says is lost with the connection.
                        let _lost = server.read(&mut answered).await?;
                        return Ok(());
                    }
                    _ if heard.is_empty() => return Ok(()),
                    _ => server.write_all(heard).await?,
                }
            }
            answer = server.read(&mut answered) => {
                let answer = answer?;
                if answer == 0 {
                    return Ok(());
                }
                client.write_all(&answered[..answer]).await?;
            }
        }
    }
}
