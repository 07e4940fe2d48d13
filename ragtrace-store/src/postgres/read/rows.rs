//! The rows of `logs` and of its archive, as they are read: the one list of their columns.

/// Selects whole rows `r` by the rest of a statement, from `FROM` on.
macro_rules! select_rows {
    ($rest:literal, $($parameter:expr),+ $(,)?) => {
        sqlx::query_as!(
            crate::read::Columns,
            r#"SELECT r.id::text AS "id!", to_char(r.timestamp, 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS "timestamp!",
                r.trace_id::text, r.span_id, r.parent_span_id, r.local_root AS "local_root!", r.request_id, r.user_id,
                r.tenant_id, r.session_id, r.request_type, r.logger AS "logger!", r.level AS "level!",
                r.message AS "message!", r.event AS "event!", r.stage, r.kind, r.context::text, r.metrics::text,
                r.error::text, r.stack_trace, r.source::text, r.service, r.environment, r.version, r.host,
                r.instance::text AS "instance!", r.thread,
                to_char(r.created_at, 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS "created_at!" "#
                + $rest,
            $($parameter),+
        )
    };
}

pub(super) use select_rows;
