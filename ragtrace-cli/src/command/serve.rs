//! `ragtrace serve`: shows the store in a web browser.

use std::io::Write;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use tokio::net::TcpListener;

use crate::output::{Failure, Found, Output, tell};
use crate::view::{self, Ending, Hosts, Settings, Tokens, Viewer};

#[derive(clap::Args)]
pub(crate) struct Args {
    /// Address to listen on. Port 0 picks a free port.
    ///
    /// On an address other than 127.0.0.1, `--tokens` or `--new-token` is needed. There is no TLS:
    /// put a proxy with TLS before the viewer, or forward the port over SSH.
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:7667")]
    listen: String,
    /// Let visitors sign in with the tokens in this file, one a line.
    ///
    /// A line is `TOKEN`, which reads everything, or `TOKEN ROLE`, which reads as the PostgreSQL
    /// role ROLE and so sees only the tenants that the role may read. A token has at least 16
    /// characters. Other users must not be able to read the file.
    #[arg(long, value_name = "FILE")]
    tokens: Option<PathBuf>,
    /// Make a token for this run, and print the address with it.
    #[arg(long, conflicts_with = "tokens")]
    new_token: bool,
    /// Answer under this host name too, as behind a proxy. May be repeated.
    #[arg(long = "host", value_name = "NAME", value_parser = view::parse_host)]
    hosts: Vec<String>,
    /// Link the places where stages are declared by this pattern, which contains `{file}` and
    /// `{line}`.
    ///
    /// An example is `https://git.example/rag/blob/main/{file}#L{line}`, and for an editor
    /// `vscode://file/home/me/rag/{file}:{line}`.
    #[arg(long, value_name = "PATTERN", value_parser = view::parse_source_url)]
    source_url: Option<String>,
    /// Let visitors add scores. Without it, the viewer changes nothing.
    #[arg(long)]
    allow_writes: bool,
}

pub(crate) async fn run(url: &str, args: &Args) -> Result<Found, Failure> {
    let (tokens, fresh) = tokens(args)?;
    if let Some(line) = tokens.as_ref().and_then(Tokens::line_with_role).filter(|_| url.starts_with("sqlite:")) {
        return Err(Failure::new(format!(
            "line {line} of the tokens names a role, but a SQLite file has no roles: use a PostgreSQL store, or a token \
             without a role"
        )));
    }
    let listener = listen(args, tokens.is_some()).await?;
    let address = listener.local_addr()?;
    let ending = Ending::at_signals()?;
    let hosts = Hosts::new(address, &args.hosts);
    let settings = Settings {
        store: url.to_owned(),
        tokens,
        hosts,
        port: address.port(),
        may_write: args.allow_writes,
        source_url: args.source_url.clone(),
    };
    let viewer = Arc::new(Viewer::new(settings, ending));
    viewer.check().await?;
    announce(address, fresh.as_deref())?;
    view::serve(listener, viewer).await;
    Ok(Found::Something)
}

/// Returns the tokens that visitors need, and the one that was made for this run.
fn tokens(args: &Args) -> Result<(Option<Tokens>, Option<String>), Failure> {
    if args.new_token {
        let (tokens, fresh) = Tokens::generate()?;
        return Ok((Some(tokens), Some(fresh)));
    }
    let tokens = args.tokens.as_deref().map(Tokens::read).transpose()?;
    Ok((tokens, None))
}

/// Listens on the address, which has to be of this machine alone if no token is needed.
async fn listen(args: &Args, needs_token: bool) -> Result<TcpListener, Failure> {
    let listen = &args.listen;
    let unusable =
        |error| Failure::new(format!("{listen} cannot be listened on ({error}): name another address with `--listen`"));
    let addresses: Vec<SocketAddr> = tokio::net::lookup_host(listen).await.map_err(unusable)?.collect();
    if !needs_token && addresses.iter().any(|address| !address.ip().is_loopback()) {
        return Err(Failure::new(format!(
            "others can reach {listen}, so visitors need a token: add `--tokens FILE` or `--new-token`, or listen on 127.0.0.1"
        )));
    }
    TcpListener::bind(&*addresses).await.map_err(unusable)
}

/// Prints the address. A browser does not send the part with the token: a script of the page reads
/// it, and signs in.
fn announce(address: SocketAddr, fresh: Option<&str>) -> Result<(), Failure> {
    let mut output = Output::new();
    let fragment = fresh.map(|token| format!("#token={token}")).unwrap_or_default();
    writeln!(output.writer, "listening on http://{address}/{fragment}")?;
    output.writer.flush()?;
    if address.ip().is_unspecified() {
        tell("listening on all addresses of this machine: open one of them, or name more with `--host`");
    }
    Ok(())
}
