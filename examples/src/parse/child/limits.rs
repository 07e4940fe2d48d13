//! The limits of the process that reads.

use std::io;
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// The limits of the process that reads a document.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(in super::super) struct Limits {
    /// The memory in bytes.
    pub(in super::super) memory: u64,
    /// The time of the processor.
    pub(in super::super) computing: Duration,
    /// The largest size of the text in bytes, and of the document's other facts.
    pub(in super::super) max_text: u64,
}

impl Limits {
    /// Returns the time by the clock after which the process is killed, which is for a reader that
    /// sleeps.
    pub(super) fn by_the_clock(&self) -> Duration {
        // A processor that is shared by as many as ten times its cores is busy, but not stuck.
        if cfg!(unix) { self.seconds() * 10 } else { self.computing }
    }

    /// Returns the time of the processor in whole seconds, as the operating system counts it.
    pub(super) fn seconds(&self) -> Duration {
        let up = u64::from(self.computing.subsec_nanos() > 0);
        Duration::from_secs(self.computing.as_secs().saturating_add(up).max(1))
    }

    /// Sets the limits of this process, for good.
    #[cfg(unix)]
    pub(super) fn apply(&self) -> io::Result<()> {
        use rustix::process::Resource;

        // What a program allocates; its code, which its processes share, does not count.
        #[cfg(any(target_os = "linux", target_os = "android", target_os = "openbsd"))]
        lower(Resource::Data, self.memory, 0)?;
        // macOS refuses a limit below the hundreds of gigabytes that it maps into each process.
        #[cfg(not(any(target_os = "linux", target_os = "android", target_vendor = "apple", target_os = "openbsd")))]
        lower(Resource::As, self.memory, 0)?;
        // At the hard limit the system kills without telling why, so there is a second before it.
        lower(Resource::Cpu, self.seconds().as_secs(), 1)?;
        // A crash is expected, so nobody wants its memory on disk.
        lower(Resource::Core, 0, 0)
    }

    /// Sets no limits: the parent watches the clock.
    #[cfg(not(unix))]
    #[expect(clippy::unnecessary_wraps, clippy::unused_self, reason = "elsewhere there are limits")]
    pub(super) fn apply(&self) -> io::Result<()> {
        Ok(())
    }
}

/// Lowers a limit to `most`, unless it is lower already, and the hard limit to `margin` above it.
#[cfg(unix)]
fn lower(resource: rustix::process::Resource, most: u64, margin: u64) -> io::Result<()> {
    use rustix::process::{Rlimit, getrlimit, setrlimit};

    let now = getrlimit(resource);
    let lower = |limit: Option<u64>, most: u64| Some(limit.map_or(most, |limit| limit.min(most)));
    let (current, maximum) = (lower(now.current, most), lower(now.maximum, most.saturating_add(margin)));
    Ok(setrlimit(resource, Rlimit { current, maximum })?)
}
