//! Starts PostgreSQL servers for tests.
//!
//! Each server has a folder of its own, and listens on a free port and on a socket in that folder.
//! A shell watches it, and ends it and removes the folder as soon as this process is gone, for
//! whatever reason. Servers that already run on the machine are not used. `initdb` and `postgres`
//! are required: in `RAGTRACE_POSTGRES_BIN`, the usual folders, or `PATH`.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

/// A server that ends when this is dropped, or with the process.
#[derive(Debug)]
pub(crate) struct Cluster {
    folder: PathBuf,
    port: u16,
    options: String,
    server: Option<Server>,
}

/// A running server and the shell that watches it.
#[derive(Debug)]
struct Server {
    watcher: Child,
    /// The watcher's standard input. When it is closed, the server ends.
    rope: Option<ChildStdin>,
    pid: u32,
}

/// The watcher's script. It runs the server until its input is closed, or until it is told that the
/// test killed the server.
const WATCH: &str = r#"
trap '' INT TERM HUP
"$BIN/postgres" -D "$FOLDER/data" -k "$FOLDER" -p "$PORT" $OPTIONS >>"$FOLDER/log" 2>&1 </dev/null &
pid=$!
if read -r _; then
    wait $pid
else
    pkill -CONT -P $pid
    kill -CONT $pid
    kill -QUIT $pid
    wait $pid
    rm -rf "$FOLDER"
fi
"#;

/// The longest time for a server to start.
const STARTING: Duration = Duration::from_mins(1);

impl Cluster {
    /// Starts a server for one test, for what others must not see: being killed, being full.
    ///
    /// # Panics
    ///
    /// Panics if there is no PostgreSQL, with a message that says what to install.
    pub(crate) fn start(options: &str) -> Self {
        let folder = tempfile::Builder::new().prefix("ragtrace-pg").tempdir().expect("a folder").keep();
        if am_root() {
            std::os::unix::fs::chown(&folder, Some(NOBODY), Some(NOBODY)).expect("given to the server's user");
        }
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
        let port = listener.local_addr().expect("an address").port();
        drop(listener);
        let mut initdb = unprivileged(&bin().join("initdb"));
        initdb.args(["-U", "postgres", "-A", "trust", "--no-sync", "-E", "UTF8", "--locale=C", "-D"]);
        let made = initdb.arg(folder.join("data")).current_dir(&folder).output().expect("initdb runs");
        assert!(made.status.success(), "initdb: {}", String::from_utf8_lossy(&made.stderr));
        let options = format!("-c listen_addresses=127.0.0.1 -c fsync=off -c full_page_writes=off {options}");
        let mut cluster = Self { folder, port, options, server: None };
        cluster.restart();
        cluster
    }

    /// Returns the server that tests share, each with a database of its own. It ends with the
    /// process.
    pub(crate) fn shared() -> &'static Self {
        static SHARED: OnceLock<Cluster> = OnceLock::new();
        SHARED.get_or_init(|| Self::start("-c max_connections=300"))
    }

    /// Creates an empty database, and returns its URL.
    pub(crate) fn database(&self) -> String {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let name = format!("test_{}", NUMBER.fetch_add(1, Ordering::Relaxed));
        self.sql("postgres", &format!("CREATE DATABASE {name} TEMPLATE template0"));
        self.url(&name)
    }

    /// Returns the URL of a database, over TCP.
    pub(crate) fn url(&self, database: &str) -> String {
        format!("postgres://postgres@127.0.0.1:{}/{database}", self.port)
    }

    /// Returns the folder of the server, for a tablespace or a socket.
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Returns the port on 127.0.0.1.
    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// Runs SQL by `psql` and returns its output, without headers.
    ///
    /// # Panics
    ///
    /// Panics if the SQL fails.
    pub(crate) fn sql(&self, database: &str, sql: &str) -> String {
        let output = self.psql(database, sql);
        assert!(output.status.success(), "{sql}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).trim_end().to_owned()
    }

    fn psql(&self, database: &str, sql: &str) -> std::process::Output {
        // Packages of the server alone contain no client, so any client is used.
        let beside = bin().join("psql");
        let mut psql = Command::new(if beside.exists() { beside } else { PathBuf::from("psql") });
        psql.args(["-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-c", sql]).arg(self.url(database));
        psql.stdin(Stdio::null()).output().expect("psql runs")
    }

    /// Kills the server at once, as a power failure or the kernel would.
    pub(crate) fn kill(&mut self) {
        let Some(mut server) = self.server.take() else { return };
        if let Some(rope) = &mut server.rope {
            let _ = rope.write_all(b"killed\n");
        }
        // A postmaster's children outlive it for a moment and hold its memory. It must not create
        // new ones meanwhile.
        send("-STOP", &server.pid.to_string());
        signal_children("-KILL", server.pid);
        send("-KILL", &server.pid.to_string());
        let _ = server.watcher.wait();
    }

    /// Starts the server again, on the same port and with the same data.
    pub(crate) fn restart(&mut self) {
        let mut watcher = unprivileged(Path::new("/bin/sh"));
        watcher.args(["-c", WATCH]).env("BIN", bin()).env("FOLDER", &self.folder).env("PORT", self.port.to_string());
        watcher.env("OPTIONS", &self.options).current_dir(&self.folder).stdin(Stdio::piped());
        let mut watcher = watcher.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("a shell");
        let rope = watcher.stdin.take();
        let until = Instant::now() + STARTING;
        while !self.psql("postgres", "SELECT 1").status.success() {
            assert!(Instant::now() < until, "the server does not start: {}", self.log());
            std::thread::sleep(Duration::from_millis(20));
        }
        let pid = std::fs::read_to_string(self.folder.join("data/postmaster.pid")).expect("a running server");
        let pid = pid.lines().next().and_then(|pid| pid.parse().ok()).expect("its number");
        self.server = Some(Server { watcher, rope, pid });
    }

    /// Prevents all files of the server from growing beyond a number of bytes, as on a full disk,
    /// or lets them grow again.
    pub(crate) fn limit_files(&self, bytes: Option<u64>) {
        let Some(server) = &self.server else { return };
        let limit = bytes.map_or("unlimited".to_owned(), |bytes| bytes.to_string());
        let children = Command::new("pgrep").args(["-P", &server.pid.to_string()]).output().expect("pgrep runs");
        let children = String::from_utf8_lossy(&children.stdout).into_owned();
        for pid in children.lines().chain([server.pid.to_string().as_str()]) {
            // A child may be gone by now. Only the soft limit is set, since its owner may raise it
            // again.
            let mut prlimit = unprivileged(Path::new("prlimit"));
            let _ = prlimit.args([&format!("--fsize={limit}:"), "--pid", pid]).stderr(Stdio::null()).status();
        }
    }

    /// Returns the contents of the server's log.
    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(self.folder.join("log")).unwrap_or_default()
    }

    /// Stops the server: it keeps its connections and does not answer.
    pub(crate) fn freeze(&self) {
        if let Some(server) = &self.server {
            send("-STOP", &server.pid.to_string());
            signal_children("-STOP", server.pid);
        }
    }

    /// Continues a stopped server.
    pub(crate) fn thaw(&self) {
        if let Some(server) = &self.server {
            signal_children("-CONT", server.pid);
            send("-CONT", &server.pid.to_string());
        }
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        self.kill();
        // If the test killed the server, the watcher does not remove the folder.
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

/// A small disk for one test, in a server's folder: a file system in memory. Mounting one takes a
/// right that few users have.
#[derive(Debug)]
pub(crate) struct SmallDisk {
    folder: PathBuf,
}

impl SmallDisk {
    /// Mounts a disk of some megabytes, or returns `None` for a user who may not mount.
    pub(crate) fn mount(cluster: &Cluster, megabytes: u32) -> Option<Self> {
        let folder = cluster.folder().join("small");
        std::fs::create_dir(&folder).expect("a folder");
        let options = format!("size={megabytes}m,mode=0700,uid={NOBODY},gid={NOBODY}");
        let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", &options, "tmpfs"]).arg(&folder).output();
        mounted.is_ok_and(|mounted| mounted.status.success()).then_some(Self { folder })
    }

    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    pub(crate) fn grow(&self, megabytes: u32) {
        let options = format!("remount,size={megabytes}m");
        let grown = Command::new("mount").args(["-o", &options]).arg(&self.folder).status().expect("mount runs");
        assert!(grown.success(), "it grows");
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // The file system is unmounted lazily, since the server may still have files there.
        let _ = Command::new("umount").arg("--lazy").arg(&self.folder).status();
    }
}

fn send(signal: &str, pid: &str) {
    let sent = Command::new("kill").args([signal, pid]).stderr(Stdio::null()).status();
    assert!(sent.is_ok(), "kill runs");
}

fn signal_children(signal: &str, parent: u32) {
    let sent = Command::new("pkill").args([signal, "-P", &parent.to_string()]).status();
    assert!(sent.is_ok(), "pkill runs");
}

/// The user without any rights (Linux, `nobody`).
pub(crate) const NOBODY: u32 = 65_534;

pub(crate) fn am_root() -> bool {
    std::fs::metadata("/proc/self").is_ok_and(|me| std::os::unix::fs::MetadataExt::uid(&me) == 0)
}

/// Returns a command that does not run as root, since the server refuses that.
pub(crate) fn unprivileged(program: &Path) -> Command {
    if !am_root() {
        return Command::new(program);
    }
    let mut command = Command::new("setpriv");
    command.args(["--reuid=65534", "--regid=65534", "--clear-groups", "--"]).arg(program);
    command
}

/// Returns the folder of the programs, with the newest version first.
fn bin() -> &'static Path {
    static BIN: OnceLock<PathBuf> = OnceLock::new();
    BIN.get_or_init(|| {
        let set = std::env::var_os("RAGTRACE_POSTGRES_BIN").map(PathBuf::from);
        let mut versions: Vec<PathBuf> = std::fs::read_dir("/usr/lib/postgresql")
            .map(|folders| folders.flatten().map(|folder| folder.path().join("bin")).collect())
            .unwrap_or_default();
        versions.sort();
        let path = std::env::var_os("PATH").unwrap_or_default();
        let path: Vec<PathBuf> = std::env::split_paths(&path).collect();
        let found =
            set.into_iter().chain(versions.into_iter().rev()).chain(path).find(|bin| bin.join("initdb").exists());
        found.expect("a PostgreSQL server is needed: apt-get install postgresql, or set RAGTRACE_POSTGRES_BIN")
    })
}
