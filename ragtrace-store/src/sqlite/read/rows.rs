//! Selects rows of `logs` and of its archive. The list of their columns is only here.

/// Selects whole rows. The rest of the statement, from `FROM` on, is given in parts.
macro_rules! select_rows {
    ([$($rest:literal),+ $(,)?], $($parameter:expr),+ $(,)?) => {
        sqlx::query_as!(
            crate::read::Columns,
            "SELECT id AS \"id!\", timestamp AS \"timestamp!\", trace_id, span_id, parent_span_id,
                local_root AS \"local_root!: bool\", request_id, user_id, tenant_id, session_id, request_type,
                logger AS \"logger!\", level AS \"level!\", message AS \"message!\", event AS \"event!\", stage, kind, context,
                metrics, error, stack_trace, source, service, environment, version, host, instance AS \"instance!\", thread,
                links, used, generated, created_at AS \"created_at!\" "
                $(+ $rest)+,
            $($parameter),+
        )
    };
}

/// Selects the parts of rows by which errors are grouped. The rest of the statement, from `FROM`
/// on, is given in parts. An error is told by the beginning of its message.
macro_rules! select_errors {
    ([$($rest:literal),+ $(,)?], $($parameter:expr),+ $(,)?) => {
        sqlx::query_as!(
            crate::read::ErrorColumns,
            "SELECT id AS \"id!\", timestamp AS \"timestamp!\", stage, error ->> 'type' AS \"error_type?: String\",
                substr(coalesce(error ->> 'message', message), 1, 2000) AS \"message!: String\", user_id, trace_id "
                $(+ $rest)+,
            $($parameter),+
        )
    };
}

/// Selects the rows of a table that match a filter, by one of its indexes under a condition on the
/// index's column. `$select` is one of the macros above.
macro_rules! matching {
    ($select:ident, $filter:expr, $from:literal, $condition:literal) => {{
        let parameters = $filter;
        $select!(
            [
                "FROM ", $from, " WHERE ", $condition,
                " AND timestamp >= ?1 AND timestamp <= ?2
                AND (?3 IS NULL OR trace_id = ?3) AND (?4 IS NULL OR request_id = ?4) AND (?5 IS NULL OR user_id = ?5)
                AND (?6 IS NULL OR tenant_id = ?6) AND (?7 IS NULL OR stage = ?7)
                AND CASE level WHEN 'TRACE' THEN 0 WHEN 'DEBUG' THEN 1 WHEN 'INFO' THEN 2 WHEN 'WARN' THEN 3 ELSE 4 END >= ?8
                AND (timestamp, id) < (?10, ?11) AND (?12 IS NULL OR session_id = ?12) AND (?13 IS NULL OR event = ?13)
                AND (?14 IS NULL OR instr(lower(message), ?15) > 0 OR instr(message, ?14) > 0
                    OR instr(lower(error ->> 'type'), ?15) > 0 OR instr(error ->> 'type', ?14) > 0
                    OR instr(lower(error ->> 'message'), ?15) > 0 OR instr(error ->> 'message', ?14) > 0)
                ORDER BY timestamp DESC, id DESC LIMIT ?9"
            ],
            parameters.since,
            parameters.up_to,
            parameters.trace_id,
            parameters.request_id,
            parameters.user_id,
            parameters.tenant_id,
            parameters.stage,
            parameters.level,
            parameters.limit,
            parameters.after_time,
            parameters.after_id,
            parameters.session_id,
            parameters.event,
            parameters.text,
            parameters.lower_text
        )
    }};
}

pub(super) use {matching, select_errors, select_rows};
