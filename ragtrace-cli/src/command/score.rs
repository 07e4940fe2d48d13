//! `ragtrace score`: judges a trace or one of its runs.

use std::io::Write;

use ragtrace::{SpanId, TraceId};
use ragtrace_store::{self as store, LogFilter, LogStore, SpanNode, Trace};

use crate::arguments::find;
use crate::output::{Failure, Found, Output};
use crate::score_writer::{NewScore, ScoreValue};

#[derive(clap::Args)]
pub(crate) struct Args {
    /// Trace to judge: its id (a UUID or 32 hex digits), the first digits of it, or `last` for the
    /// newest.
    trace: String,
    /// Name of the score, such as `helpful` or `faithfulness`: 1 to 64 characters.
    name: String,
    /// Value: a number, `true` or `false`, or any other text, which is a label.
    #[arg(allow_hyphen_values = true)]
    value: String,
    /// Take the value for a label, even if it is a number, `true` or `false`.
    #[arg(long)]
    label: bool,
    /// Judge one run of the trace instead of the whole: its span id, or the first digits of it.
    #[arg(long, visible_alias = "span-id", value_name = "ID")]
    span: Option<String>,
    /// Who judges.
    #[arg(long, value_enum, default_value_t)]
    by: Judge,
    /// Reason for the score.
    #[arg(long, value_name = "TEXT", allow_hyphen_values = true)]
    comment: Option<String>,
    /// Tenant of the trace. The store refuses the score if it knows the trace under another one.
    #[arg(long, visible_alias = "tenant-id", value_name = "ID")]
    tenant: Option<String>,
    /// User who gives the score.
    #[arg(long, visible_alias = "user-id", value_name = "ID")]
    user: Option<String>,
    /// Write the score even if the store does not know the trace or the run.
    #[arg(long)]
    force: bool,
}

/// The kinds of judge.
#[derive(Clone, Copy, Default, clap::ValueEnum)]
enum Judge {
    /// A person.
    #[default]
    Human,
    /// A model.
    Llm,
    /// A program.
    Code,
}

impl Judge {
    fn as_str(self) -> &'static str {
        match self {
            Self::Human => "human",
            Self::Llm => "llm",
            Self::Code => "code",
        }
    }
}

pub(crate) async fn run(url: &str, args: &Args) -> Result<Found, Failure> {
    let store = store::open(url).await?;
    let (trace, span) = match subject(&store, args).await? {
        Ok(subject) => subject,
        Err(why) => return Ok(Found::Nothing(why)),
    };
    let score = NewScore {
        trace,
        span,
        name: args.name.clone(),
        value: value(args),
        by: args.by.as_str(),
        comment: args.comment.clone(),
        tenant: args.tenant.clone(),
        user: args.user.clone(),
    };
    score.write(url).await?;
    let mut out = Output::new().writer;
    match span {
        Some(span) => writeln!(out, "scored the run {span} of the trace {trace}")?,
        None => writeln!(out, "scored the trace {trace}")?,
    }
    out.flush()?;
    Ok(Found::Something)
}

/// Finds the trace and the run to judge. The inner `Err` says why there is none.
async fn subject(store: &LogStore, args: &Args) -> Result<Result<(TraceId, Option<SpanId>), String>, Failure> {
    let trace = match find::trace(store, &args.trace).await? {
        Ok(trace) => trace,
        Err(why) => return Ok(Err(why)),
    };
    let hint = "add `--force` to score it nevertheless";
    let Some(named) = &args.span else {
        let is_known = args.force || is_known(store, trace).await?;
        return Ok(if is_known { Ok((trace, None)) } else { Err(format!("there is no trace {trace}: {hint}")) });
    };
    let found = store.trace(trace).await?;
    match (found.as_ref().map(|trace| spans(trace, named)).as_deref(), named.parse()) {
        (Some([one]), _) => Ok(Ok((trace, Some(*one)))),
        (Some([_, _, ..]), _) => {
            Err(Failure::new(format!("{named} matches several runs of the trace: give more digits")))
        }
        (_, Ok(span)) if args.force => Ok(Ok((trace, Some(span)))),
        (Some([]), _) => Ok(Err(format!("the trace {trace} has no run {named}: {hint}, with all 16 digits"))),
        (None, _) => Ok(Err(format!("there is no trace {trace}: {hint}"))),
    }
}

/// Returns `true` if the store has a record of the trace, or a score.
async fn is_known(store: &LogStore, trace: TraceId) -> Result<bool, Failure> {
    let records = store.logs(LogFilter::new().trace_id(trace).limit(1)).await?;
    Ok(!records.is_empty() || !store.scores(trace).await?.is_empty())
}

/// Returns the runs whose ids begin with `digits`.
fn spans(trace: &Trace, digits: &str) -> Vec<SpanId> {
    let digits = digits.to_ascii_lowercase();
    let fitting = trace.spans().map(SpanNode::span_id).filter(|id| id.to_string().starts_with(&digits));
    fitting.collect()
}

/// Returns the value as it is meant: a number, a flag, or a label.
fn value(args: &Args) -> ScoreValue {
    let text = args.value.as_str();
    match (text, text.parse()) {
        _ if args.label => ScoreValue::Label(text.to_owned()),
        ("true", _) => ScoreValue::Flag(true),
        ("false", _) => ScoreValue::Flag(false),
        (_, Ok(number)) => ScoreValue::Number(number),
        _ => ScoreValue::Label(text.to_owned()),
    }
}
