//! Selects rows of `logs` and of its archive. The list of their columns is only here.

/// Selects whole rows of the alias `r`. The rest of the statement, from `FROM` on, is given.
macro_rules! select_rows {
    ([$($rest:literal),+ $(,)?], $($parameter:expr),+ $(,)?) => {
        sqlx::query_as!(
            crate::read::Columns,
            r#"SELECT r.id::text AS "id!", to_char(r.timestamp, 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS "timestamp!",
                r.trace_id::text, r.span_id, r.parent_span_id, r.local_root AS "local_root!", r.request_id, r.user_id,
                r.tenant_id, r.session_id, r.request_type, r.logger AS "logger!", r.level AS "level!",
                r.message AS "message!", r.event AS "event!", r.stage, r.kind, r.context::text, r.metrics::text,
                r.error::text, r.stack_trace, r.source::text, r.service, r.environment, r.version, r.host,
                r.instance::text AS "instance!", r.thread, r.links::text, r.used::text, r.generated::text,
                to_char(r.created_at, 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS "created_at!" "#
                $(+ $rest)+,
            $($parameter),+
        )
    };
}

/// Selects the parts of rows by which errors are grouped, of the alias `r`. The rest of the
/// statement, from `FROM` on, is given. An error is told by the beginning of its message.
macro_rules! select_errors {
    ([$($rest:literal),+ $(,)?], $($parameter:expr),+ $(,)?) => {
        sqlx::query_as!(
            crate::read::ErrorColumns,
            r#"SELECT r.id::text AS "id!", to_char(r.timestamp, 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS "timestamp!", r.stage,
                r.error ->> 'type' AS error_type, left(coalesce(r.error ->> 'message', r.message), 2000) AS "message!",
                r.user_id, r.trace_id::text "#
                $(+ $rest)+,
            $($parameter),+
        )
    };
}

/// Selects the rows of a table that match a filter and lie between two instants. `$select` is one
/// of the macros above.
macro_rules! matching {
    ($select:ident, $from:literal, $filter:expr, $since:expr, $until:expr, $limit:expr) => {{
        use crate::postgres::clean::as_stored;
        let filter = $filter;
        let levels: Option<Vec<String>> = filter.level.map(|least| {
            let named = ragtrace::Level::ALL.iter().filter(|level| **level >= least);
            named.map(|level| level.as_str().to_owned()).collect()
        });
        $select!(
            [
                $from,
                r#" WHERE timestamp >= $1 AND timestamp < $2 AND (timestamp, id) < ($3, $4)
                AND ($5::uuid IS NULL OR trace_id = $5) AND ($6::text IS NULL OR request_id = $6)
                AND ($7::text IS NULL OR left(user_id, 64) = left($7, 64) AND user_id = $7)
                AND ($8::text IS NULL OR tenant_id = $8)
                AND ($9::text IS NULL OR stage = $9) AND ($10::text[] IS NULL OR level = ANY ($10))
                AND ($12::text IS NULL OR session_id = $12) AND ($13::text IS NULL OR event = $13)
                AND ($14::text IS NULL OR strpos(lower(message COLLATE "C"), $14) > 0
                    OR strpos(lower((error ->> 'type') COLLATE "C"), $14) > 0
                    OR strpos(lower((error ->> 'message') COLLATE "C"), $14) > 0)
            ORDER BY r.timestamp DESC, r.id DESC LIMIT $11"#
            ],
            $since as _,
            $until as _,
            PgTime::from(filter.after.timestamp) as _,
            filter.after.id,
            filter.trace_id.map(ragtrace::TraceId::as_uuid),
            as_stored(filter.request_id.as_deref()),
            as_stored(filter.user_id.as_deref()),
            as_stored(filter.tenant_id.as_deref()),
            as_stored(filter.stage.as_deref()),
            levels as _,
            i64::try_from($limit).unwrap_or(i64::MAX),
            as_stored(filter.session_id.as_deref()),
            filter.event.map(ragtrace::Event::as_str),
            as_stored(filter.text.as_deref()).map(|text| crate::read::lower(&text))
        )
    }};
}

pub(super) use {matching, select_errors, select_rows};
