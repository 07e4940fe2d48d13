//! CPU time, CPU affinity and timers.

use std::time::Duration;

/// Returns the user and system time of all threads of this process.
pub fn process_time() -> Duration {
    // SAFETY: a zeroed `rusage` is valid, and the call fills it.
    let usage = unsafe {
        let mut usage = std::mem::zeroed::<libc::rusage>();
        libc::getrusage(libc::RUSAGE_SELF, &raw mut usage);
        usage
    };
    let time = |t: libc::timeval| Duration::new(t.tv_sec as u64, t.tv_usec as u32 * 1_000);
    time(usage.ru_utime) + time(usage.ru_stime)
}

/// Restricts this process to the given processors, listed as in `0,1`.
pub fn pin(processors: &str) -> Result<(), String> {
    // SAFETY: a zeroed set is empty, and the calls only access the set.
    let pinned = unsafe {
        let mut set = std::mem::zeroed::<libc::cpu_set_t>();
        for processor in processors.split(',') {
            let processor = processor.parse().map_err(|_| format!("no list of processors: {processors}"))?;
            libc::CPU_SET(processor, &mut set);
        }
        libc::sched_setaffinity(0, size_of_val(&set), &raw const set)
    };
    if pinned == 0 { Ok(()) } else { Err(std::io::Error::last_os_error().to_string()) }
}

/// Makes this thread's timers expire on time instead of up to 50 µs late.
pub fn precise_timers() {
    // SAFETY: the call takes a number and affects only this thread.
    unsafe { libc::prctl(libc::PR_SET_TIMERSLACK, 1_u64) };
}
