//! The sinks for LangSmith: runs, and feedback.
//!
//! It promises requests that LangSmith takes: limits are the server's own (`GET /info`), ids and
//! dotted orders are right by construction, no number is beyond 64 bits. A run is sent once, when
//! it has ended, and never changed: LangSmith gives up what comes second. Its id follows from the
//! ids of trace and span, so a batch that is sent again repeats nothing (409 is a success), and a
//! score that comes days later finds its run.
//!
//! It does not promise: that runs are seen while they work; that a tree is whole where the sampler
//! or a full queue left something out; one tree over several services. A service whose caller is no
//! LangSmith client has a LangSmith trace of its own for each of its local roots, with the id of
//! our trace in `metadata.trace_id`.
//!
//! | room | holds |
//! | --- | --- |
//! | `settings` | where to, with which key, into which project |
//! | `info`, `verdict` | what the server takes, and what its answers mean |
//! | `run_id`, `dotted_order`, `time` | where a run stands in its tree |
//! | `run`, `run_type`, `content`, `usage`, `metadata`, `value` | the JSON of a run |
//! | `feedback` | the JSON of a score |
//! | `cut` | what is too large for any request |
//! | `multipart`, `batch_fallback` | a request's body, and that of older servers |
//! | `connection`, `health` | settings, client, limits, and how it goes, which both sinks share |
//! | `runs`, `sink` | the runs of a batch, and their sink |
//! | `taken`, `feedback_sink` | the feedback that is not sent again, and its sink |

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
