//! Sinks for LangSmith: runs and feedback.
//!
//! LangSmith accepts the requests made here: they respect the server's own limits (`GET /info`),
//! ids and dotted orders are correct by construction, and no number exceeds 64 bits. A run is sent
//! once, when it has ended, and never changed, since LangSmith drops a second version. Its id
//! follows from the ids of trace and span. So a batch that is sent again repeats nothing (the
//! answer 409 is a success), and a score that comes days later finds its run.
//!
//! Not promised: that a run is visible while it works; that a tree is complete if the
//! sampler or a full queue left something out; that a trace over several services is one tree. If
//! the caller of a service is not a LangSmith client, each of the service's local roots is a
//! LangSmith trace of its own, with ragtrace's trace id in `metadata.trace_id`.
//!
//! | module | contains |
//! | --- | --- |
//! | `settings` | the destination, the key, the project |
//! | `info`, `verdict` | the server's limits, and the meaning of its answers |
//! | `run_id`, `dotted_order`, `time` | a run's place in its tree |
//! | `run`, `run_type`, `content`, `usage`, `metadata`, `value` | the JSON of a run |
//! | `feedback` | the JSON of a score |
//! | `cut` | cutting of what is too large for any request |
//! | `multipart`, `batch_fallback` | a request's body, and the one for older servers |
//! | `connection`, `health` | settings, client, limits, and the server's health, which both sinks share |
//! | `runs`, `sink` | the runs of a batch, and their sink |
//! | `taken`, `feedback_sink` | feedback that is not sent again, and its sink |

mod batch_fallback;
mod connection;
mod content;
mod cut;
mod dotted_order;
mod feedback;
mod feedback_sink;
mod health;
mod info;
mod metadata;
mod multipart;
mod run;
mod run_id;
mod run_type;
mod runs;
mod settings;
mod sink;
mod taken;
mod time;
mod usage;
mod value;
mod verdict;

pub use feedback_sink::LangSmithFeedbackSink;
pub use sink::LangSmithSink;
