//! Starts `PgBouncer` before a test's server: a process of its own, on a free port, which ends with
//! the test for whatever reason.

use std::fmt::Write as _;
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::time::{Duration, Instant};

use crate::cluster::{Cluster, NOBODY, am_root, unprivileged};

/// The longest time for it to start.
const STARTING: Duration = Duration::from_secs(20);

/// The watcher's script. It runs the pooler until its input is closed.
const WATCH: &str = r#"
trap '' INT TERM HUP
pgbouncer -q "$FOLDER/pgbouncer.ini" >>"$FOLDER/log" 2>&1 </dev/null &
pid=$!
read -r _
kill -KILL $pid
wait $pid
"#;

/// The pool mode.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    Session,
    Transaction,
    Statement,
}

/// A pooler that ends when this is dropped, or with the process.
pub(crate) struct PgBouncer {
    folder: PathBuf,
    port: u16,
    running: Option<(Child, ChildStdin)>,
}

impl PgBouncer {
    /// Starts a pooler before a server, with at most `size` connections to it, and with additional
    /// lines in its settings.
    ///
    /// # Panics
    ///
    /// Panics if there is no `PgBouncer`, with a message that says what to install.
    pub(crate) fn before(cluster: &Cluster, mode: Mode, size: u32, more: &[&str]) -> Self {
        Self::before_port(cluster.port(), mode, size, more)
    }

    pub(crate) fn before_port(server: u16, mode: Mode, size: u32, more: &[&str]) -> Self {
        let folder = tempfile::Builder::new().prefix("ragtrace-pgbouncer").tempdir().expect("a folder").keep();
        let port = TcpListener::bind("127.0.0.1:0").and_then(|l| l.local_addr()).expect("a free port").port();
        let mut settings = format!(
            "[databases]\n* = host=127.0.0.1 port={server}\n[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {port}\n\
            unix_socket_dir =\nauth_type = trust\nauth_file = {}\npool_mode = {}\ndefault_pool_size = {size}\n\
            max_client_conn = 200\nserver_login_retry = 1\n",
            folder.join("users").display(),
            format!("{mode:?}").to_lowercase()
        );
        for line in more {
            writeln!(settings, "{line}").expect("a string takes it");
        }
        let users = "\"postgres\" \"\"\n\"My \"\"Role\"\".é\" \"\"\n";
        for (name, text) in [("pgbouncer.ini", settings.as_str()), ("users", users), ("log", "")] {
            std::fs::write(folder.join(name), text).expect("written");
            give(&folder.join(name));
        }
        give(&folder);
        let mut pooler = Self { folder, port, running: None };
        pooler.start();
        pooler
    }

    /// Returns the version, such as (1, 18).
    pub(crate) fn version() -> (u32, u32) {
        let output = Command::new(program()).arg("--version").output().expect("pgbouncer: apt-get install pgbouncer");
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let version = text.split_whitespace().nth(1).unwrap_or_default().to_owned();
        let mut numbers = version.split('.').map(|number| number.parse().unwrap_or(0));
        (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0))
    }

    pub(crate) fn url(&self, database: &str) -> String {
        format!("postgres://postgres@127.0.0.1:{}/{database}", self.port)
    }

    /// Starts the pooler on the same port.
    pub(crate) fn start(&mut self) {
        let mut watcher = unprivileged(Path::new("/bin/sh"));
        let path = format!("{}:/usr/sbin", std::env::var("PATH").unwrap_or_default());
        watcher.args(["-c", WATCH]).env("FOLDER", &self.folder).env("PATH", path).current_dir(&self.folder);
        let watcher = watcher.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
        let mut watcher = watcher.expect("a shell");
        let rope = watcher.stdin.take().expect("piped");
        self.running = Some((watcher, rope));
        let until = Instant::now() + STARTING;
        while TcpStream::connect(("127.0.0.1", self.port)).is_err() {
            let log = std::fs::read_to_string(self.folder.join("log")).unwrap_or_default();
            assert!(Instant::now() < until, "pgbouncer does not start (apt-get install pgbouncer): {log}");
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// Kills the pooler, and with it every connection through it.
    pub(crate) fn kill(&mut self) {
        if let Some((mut watcher, rope)) = self.running.take() {
            drop(rope);
            let _ = watcher.wait();
        }
    }
}

impl Drop for PgBouncer {
    fn drop(&mut self) {
        self.kill();
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

fn program() -> &'static Path {
    // Debian installs it outside of ordinary users' paths.
    let there = Path::new("/usr/sbin/pgbouncer");
    if there.exists() { there } else { Path::new("pgbouncer") }
}

/// Gives a file to the user that the pooler runs as, since it refuses to run as root.
fn give(path: &Path) {
    if am_root() {
        std::os::unix::fs::chown(path, Some(NOBODY), Some(NOBODY)).expect("given to the pooler's user");
    }
}
