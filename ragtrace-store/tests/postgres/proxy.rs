//! A connection that breaks at a point that the test chooses.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// The point at which a connection breaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cut {
    /// Breaks when the client sends this, which the server never receives.
    Before(&'static str),
    /// Breaks when the server has received and answered this; the client never receives the answer.
    After(&'static str),
}

/// Forwards what both sides send, and breaks the first connection that reaches the point.
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
                        // The answer is lost with the connection.
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
