-- What was judged of traces and of runs in them: by people, by models, by checks in code.

CREATE TABLE scores (
    id           uuid NOT NULL PRIMARY KEY,
    timestamp    timestamptz NOT NULL,
    trace_id     uuid NOT NULL,
    span_id      text,
    name         text NOT NULL,
    number       double precision,
    flag         boolean,
    label        text,
    judged_by    text,
    comment      text,
    user_id      text,
    tenant_id    text,
    service      text,
    environment  text,
    version      text,
    host         text,
    instance     uuid NOT NULL,
    thread       text,
    late         boolean NOT NULL,
    created_at   timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE scores IS 'One row a record whose event is score, which leaves none in logs: a judgement on a trace or a run';
COMMENT ON COLUMN scores.id IS 'The record''s id, the same over every retry';
COMMENT ON COLUMN scores.timestamp IS 'When it was recorded';
COMMENT ON COLUMN scores.trace_id IS 'The trace that is judged';
COMMENT ON COLUMN scores.span_id IS 'The run that is judged: 16 hex digits; NULL where it is the trace as a whole';
COMMENT ON COLUMN scores.name IS 'What is judged, such as faithfulness';
COMMENT ON COLUMN scores.number IS 'The judgement, if it is a number';
COMMENT ON COLUMN scores.flag IS 'The judgement, if it is true or false';
COMMENT ON COLUMN scores.label IS 'The judgement, if it is one of some words';
COMMENT ON COLUMN scores.judged_by IS 'Who judged: human, llm or code';
COMMENT ON COLUMN scores.comment IS 'The reason';
COMMENT ON COLUMN scores.user_id IS 'Whose context it was recorded in';
COMMENT ON COLUMN scores.tenant_id IS 'Which tenant the trace belongs to: what row security goes by';
COMMENT ON COLUMN scores.service IS 'The service, as set up';
COMMENT ON COLUMN scores.environment IS 'The environment, as set up';
COMMENT ON COLUMN scores.version IS 'The version of the service, as set up';
COMMENT ON COLUMN scores.host IS 'The name of the host';
COMMENT ON COLUMN scores.instance IS 'The process, as in instances';
COMMENT ON COLUMN scores.thread IS 'The thread it was recorded on';
COMMENT ON COLUMN scores.late IS 'Whether retention had removed the trace when it came: it follows it';
COMMENT ON COLUMN scores.created_at IS 'When the transaction that wrote it began';

-- They are few beside the records, so each way to look for them has its index.
CREATE INDEX scores_trace ON scores (trace_id, timestamp);
CREATE INDEX scores_time ON scores (timestamp);
-- How good a pipeline is over time.
CREATE INDEX scores_name ON scores (left(name, 64), timestamp);
CREATE INDEX scores_user ON scores (left(user_id, 64));
CREATE INDEX scores_late ON scores (timestamp) WHERE late;

-- The tenant of a trace, by the first record that names one. Its plan stays with the server's connection, as that of
-- `rows_of_trace` does.
CREATE FUNCTION tenant_of_trace(trace uuid) RETURNS text LANGUAGE plpgsql STABLE SET search_path FROM CURRENT AS $$
DECLARE
    tenant text;
BEGIN
    SELECT tenant_id INTO tenant FROM logs WHERE trace_id = trace AND tenant_id IS NOT NULL ORDER BY timestamp LIMIT 1;
    IF tenant IS NULL THEN
        SELECT tenant_id INTO tenant FROM logs_archive WHERE trace_id = trace AND tenant_id IS NOT NULL
        ORDER BY timestamp LIMIT 1;
    END IF;
    IF tenant IS NULL THEN
        SELECT tenant_id INTO tenant FROM request_metrics WHERE trace_id = trace AND tenant_id IS NOT NULL
        ORDER BY timestamp LIMIT 1;
    END IF;
    RETURN tenant;
END
$$;
COMMENT ON FUNCTION tenant_of_trace IS 'Finds the tenant of a trace, by the first record that names one';
REVOKE EXECUTE ON FUNCTION tenant_of_trace FROM PUBLIC;

ALTER TABLE scores ENABLE ROW LEVEL SECURITY;
CREATE POLICY own_tenants ON scores FOR SELECT
    USING (tenant_id = ANY (ARRAY (SELECT tenant_id FROM tenant_readers WHERE reader = current_user)));

CREATE OR REPLACE FUNCTION allow_reader(reader name, tenant text) RETURNS void LANGUAGE plpgsql
SET search_path FROM CURRENT AS $$
BEGIN
    INSERT INTO tenant_readers VALUES (reader, tenant) ON CONFLICT DO NOTHING;
    EXECUTE format('GRANT USAGE ON SCHEMA %I TO %I', current_schema(), reader);
    EXECUTE format(
        'GRANT SELECT ON logs, logs_archive, request_metrics, scores, stage_minutes, stage_hours, stages, tenant_readers, '
        'ragtrace_migrations TO %I', reader);
    -- Which hosts there are is nobody's business but the owner's.
    EXECUTE format('GRANT SELECT (instance, last_seen_at, ended_at) ON instances TO %I', reader);
END
$$;

-- Who was allowed before this table was there reads it too. A role that is gone is passed over.
DO $$
DECLARE
    allowed name;
BEGIN
    FOR allowed IN SELECT DISTINCT r.reader FROM tenant_readers r JOIN pg_roles p ON p.rolname = r.reader LOOP
        EXECUTE format('GRANT SELECT ON scores TO %I', allowed);
    END LOOP;
END
$$;
