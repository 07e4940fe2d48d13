//! An HTTP client that keeps its connections and sends each request when it is due.
//!
//! At a fixed rate the loop is open: each request has its due time, even if previous ones have not
//! been answered, and its latency is counted from that time instead of from the moment a connection
//! is free. A server that stalls is therefore charged for every request that falls due in the
//! meantime.

use std::collections::VecDeque;
use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::time::{Duration, Instant};

const REQUEST: &[u8] =
    b"GET /items/42 HTTP/1.1\r\nhost: localhost\r\nuser-agent: ragtrace-bench/1.0\r\naccept: text/plain\r\n\r\n";

/// The time to wait for a response before the run is aborted.
const PATIENCE: Duration = Duration::from_secs(10);

/// The timing of requests.
#[derive(Clone, Copy)]
pub enum Pace {
    /// Evenly spaced, with this many a second.
    Rate(f64),
    /// Each connection sends its next request as soon as it has its response.
    Unbounded,
}

/// The latencies of a run.
pub struct Run {
    /// The times from a request's due time to its response, in nanoseconds, sorted.
    pub latencies: Vec<u64>,
    /// The delays between due time and sending while a connection was free, in nanoseconds, sorted.
    /// These are caused by the client itself.
    pub lateness: Vec<u64>,
    pub elapsed: Duration,
}

impl Run {
    pub fn latency(&self, quantile: f64) -> f64 {
        at(&self.latencies, quantile)
    }

    pub fn lateness(&self, quantile: f64) -> f64 {
        at(&self.lateness, quantile)
    }

    pub fn rate(&self) -> f64 {
        self.latencies.len() as f64 / self.elapsed.as_secs_f64()
    }
}

fn at(ordered: &[u64], quantile: f64) -> f64 {
    let last = ordered.len().saturating_sub(1);
    ordered.get((last as f64 * quantile).ceil() as usize).map_or(f64::NAN, |value| *value as f64)
}

struct Connection {
    stream: TcpStream,
    /// The due time of the current request, in nanoseconds since the run's start.
    due: u64,
    received: Vec<u8>,
}

/// A set of connections to one server.
pub struct Client {
    poll: OwnedFd,
    connections: Vec<Connection>,
    idle: VecDeque<usize>,
}

impl Client {
    pub fn connect(address: SocketAddr, connections: usize) -> Result<Self, String> {
        let describe = |error: std::io::Error| format!("connecting to {address}: {error}");
        // SAFETY: the call returns a descriptor that nobody else owns, or -1.
        let poll = unsafe {
            let poll = libc::epoll_create1(libc::EPOLL_CLOEXEC);
            if poll < 0 {
                return Err(describe(std::io::Error::last_os_error()));
            }
            OwnedFd::from_raw_fd(poll)
        };
        let mut client = Self { poll, connections: Vec::new(), idle: (0..connections).collect() };
        for index in 0..connections {
            let stream = TcpStream::connect(address).map_err(describe)?;
            stream.set_nodelay(true).and_then(|()| stream.set_nonblocking(true)).map_err(describe)?;
            let mut event = libc::epoll_event { events: libc::EPOLLIN as u32, u64: index as u64 };
            // SAFETY: both descriptors are open, and the call only reads the event.
            if unsafe {
                libc::epoll_ctl(client.poll.as_raw_fd(), libc::EPOLL_CTL_ADD, stream.as_raw_fd(), &raw mut event)
            } != 0
            {
                return Err(describe(std::io::Error::last_os_error()));
            }
            client.connections.push(Connection { stream, due: 0, received: Vec::with_capacity(1_024) });
        }
        Ok(client)
    }

    /// Sends `requests` requests at the given pace, and waits for all responses.
    pub fn run(&mut self, requests: usize, pace: Pace) -> Result<Run, String> {
        let start = Instant::now();
        let now = || start.elapsed().as_nanos() as u64;
        let due_of = |request: usize| match pace {
            Pace::Rate(rate) => (request as f64 * 1e9 / rate) as u64,
            Pace::Unbounded => 0,
        };
        let mut latencies = Vec::with_capacity(requests);
        let mut lateness = Vec::with_capacity(requests);
        let (mut sent, mut had_to_wait, mut last_answer) = (0, false, 0);
        while latencies.len() < requests {
            let mut timeout = PATIENCE;
            while sent < requests {
                let (due, current) = (due_of(sent), now());
                if due > current {
                    timeout = Duration::from_nanos(due - current);
                    break;
                }
                let Some(index) = self.idle.pop_front() else {
                    had_to_wait = true;
                    break;
                };
                self.connections[index].send(if matches!(pace, Pace::Rate(_)) { due } else { current })?;
                if !std::mem::take(&mut had_to_wait) {
                    lateness.push(current - due);
                }
                sent += 1;
            }
            for index in self.wait(timeout)? {
                if self.connections[index].receive()? {
                    last_answer = now();
                    latencies.push(last_answer - self.connections[index].due);
                    self.idle.push_back(index);
                }
            }
            if now() > last_answer + PATIENCE.as_nanos() as u64 {
                return Err(format!("no answer within {} s", PATIENCE.as_secs()));
            }
        }
        let elapsed = start.elapsed();
        latencies.sort_unstable();
        lateness.sort_unstable();
        Ok(Run { latencies, lateness, elapsed })
    }

    /// Waits until connections are readable, and returns their indices.
    fn wait(&self, timeout: Duration) -> Result<impl Iterator<Item = usize> + use<>, String> {
        let mut events = [libc::epoll_event { events: 0, u64: 0 }; 64];
        let timeout = libc::timespec { tv_sec: timeout.as_secs() as i64, tv_nsec: i64::from(timeout.subsec_nanos()) };
        // SAFETY: the descriptor is open, and the array has the length that is passed.
        let ready = unsafe {
            libc::epoll_pwait2(self.poll.as_raw_fd(), events.as_mut_ptr(), 64, &raw const timeout, std::ptr::null())
        };
        let ready = match usize::try_from(ready) {
            Ok(ready) => ready,
            Err(_) if std::io::Error::last_os_error().kind() == ErrorKind::Interrupted => 0,
            Err(_) => return Err(format!("waiting for answers: {}", std::io::Error::last_os_error())),
        };
        Ok(events.into_iter().take(ready).map(|event| event.u64 as usize))
    }
}

impl Connection {
    fn send(&mut self, due: u64) -> Result<(), String> {
        self.due = due;
        self.received.clear();
        self.stream.write_all(REQUEST).map_err(|error| format!("sending a request: {error}"))
    }

    /// Reads the available bytes, and returns `true` if the response is complete.
    fn receive(&mut self) -> Result<bool, String> {
        let mut buffer = [0; 2_048];
        match self.stream.read(&mut buffer) {
            Ok(0) => return Err("the server closed a connection".to_owned()),
            Ok(length) => self.received.extend_from_slice(&buffer[..length]),
            Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(false),
            Err(error) => return Err(format!("reading an answer: {error}")),
        }
        let Some(head) = self.received.windows(4).position(|four| four == b"\r\n\r\n") else { return Ok(false) };
        if !self.received.starts_with(b"HTTP/1.1 200 ") {
            return Err(format!("not what was expected: {}", String::from_utf8_lossy(&self.received)));
        }
        // Every server here sends the same body, of known length.
        Ok(self.received.len() >= head + 4 + crate::server::ANSWER.len())
    }
}
