//! Adds a score: the only request that changes something in the store.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::extract::rejection::JsonRejection;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use ragtrace::{SpanId, TraceId};
use ragtrace_store::LogFilter;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::output::secret::mask;
use crate::score_writer::{NewScore, ScoreValue, Unwritten};
use crate::view::problem::Problem;
use crate::view::session::{Session, Visitor};
use crate::view::viewer::Viewer;

/// The longest comment and label, in bytes.
const TEXT: usize = 8 << 10;

/// The body of the request.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Body {
    trace_id: String,
    span_id: Option<String>,
    name: String,
    /// A number, a boolean, or a text, which is a label.
    value: Value,
    comment: Option<String>,
    tenant_id: Option<String>,
    user_id: Option<String>,
}

/// Adds a score of a trace that the visitor can read, and answers with its record.
pub(super) async fn add(
    State(viewer): State<Arc<Viewer>>,
    (visitor, session): (Visitor, Session),
    headers: HeaderMap,
    body: Result<Json<Body>, JsonRejection>,
) -> Result<Response, Problem> {
    if !session.may_write() {
        return Err(Problem::new(StatusCode::FORBIDDEN, "this viewer only reads")
            .advice("Start `ragtrace serve` with `--allow-writes` to let visitors add scores."));
    }
    visitor.check_csrf(&headers)?;
    let Json(body) = body.map_err(|rejection| Problem::new(rejection.status(), rejection.body_text()))?;
    let mut score = body.read()?;
    let tenant = check_subject(&session, &score).await?;
    // A visitor who sees one tenant's rows may see some of a trace that is another's: the store
    // compares the tenant with the one that it knows for the trace.
    score.tenant = score.tenant.or(tenant.filter(|_| session.role().is_some()));
    match score.write(viewer.stores.url()).await {
        Ok(record) => Ok((StatusCode::CREATED, Json(json!({"id": record.id().to_string()}))).into_response()),
        Err(Unwritten::Invalid(why)) => Err(Problem::new(StatusCode::UNPROCESSABLE_ENTITY, why)),
        Err(Unwritten::Refused(why)) => Err(Problem::new(StatusCode::CONFLICT, mask(&why))),
        Err(Unwritten::Failed(why)) => Err(Problem::new(
            StatusCode::SERVICE_UNAVAILABLE,
            format!("the score could not be written: {}", mask(&why)),
        )),
    }
}

impl Body {
    fn read(self) -> Result<NewScore, Problem> {
        let unusable = |why: &str| Problem::new(StatusCode::UNPROCESSABLE_ENTITY, why);
        let trace: TraceId = self.trace_id.parse().map_err(|_| unusable("`trace_id` is not the id of a trace"))?;
        let span = self.span_id.filter(|id| !id.is_empty());
        let span: Option<SpanId> =
            span.map(|id| id.parse()).transpose().map_err(|_| unusable("`span_id` is not the id of a run"))?;
        let value = match self.value {
            Value::Bool(flag) => ScoreValue::Flag(flag),
            Value::Number(number) => ScoreValue::Number(
                number.as_f64().ok_or_else(|| unusable("`value` is not a number that can be stored"))?,
            ),
            Value::String(label) if label.len() <= TEXT => ScoreValue::Label(label),
            _ => return Err(unusable("`value` is a number, true or false, or a text of at most 8 KiB")),
        };
        let comment = self.comment.filter(|comment| !comment.trim().is_empty());
        if comment.as_ref().is_some_and(|comment| comment.len() > TEXT) {
            return Err(unusable("`comment` is longer than 8 KiB"));
        }
        let id = |id: Option<String>| id.filter(|id| !id.is_empty());
        let (tenant, user) = (id(self.tenant_id), id(self.user_id));
        Ok(NewScore { trace, span, name: self.name, value, by: "human", comment, tenant, user })
    }
}

/// Refuses a score of a trace or run that the visitor cannot read. So a tenant cannot judge the
/// traces of another, although scores are written by the viewer's own connection.
///
/// Returns the tenant of the trace as the visitor reads it.
async fn check_subject(session: &Session, score: &NewScore) -> Result<Option<String>, Problem> {
    let rows = session.store().logs(LogFilter::new().trace_id(score.trace).limit(1)).await?;
    let Some(row) = rows.first() else {
        return Err(Problem::not_found(format!("there is no trace {} that you can read", score.trace)));
    };
    let tenant = row.tenant_id();
    if score.tenant.is_some() && tenant.is_some() && score.tenant.as_deref() != tenant {
        return Err(Problem::new(StatusCode::CONFLICT, "the trace belongs to another tenant than `tenant_id`"));
    }
    if let Some(span) = score.span {
        let trace = session.store().trace(score.trace).await?;
        if trace.is_none_or(|trace| trace.span(span).is_none()) {
            return Err(Problem::not_found(format!("the trace has no run {span}")));
        }
    }
    Ok(tenant.map(str::to_owned))
}
