"""Records what the official `ddtrace` client sends for the question: LLM Observability spans and evaluations, through an Agent.

A recorder on loopback stands in the Agent's place. The client gives ids and times of its own: they are replaced.
"""

import json
import os

from question import QUESTION, SPANS, children, fixture, replace_words, starts
from recorder import Recorder, decoded

SPANS_PATH = "/evp_proxy/v2/api/v2/llmobs"
EVALUATIONS_PATH = "/evp_proxy/v2/api/intake/llm-obs/v2/eval-metric"
KINDS = {
    "pipeline": "workflow", "embed": "embedding", "retrieve": "retrieval", "rerank": "task", "task": "task",
    "generate": "llm", "tool": "tool",
}
ENDPOINTS = ["/v0.4/traces", "/v0.5/traces", "/evp_proxy/v2/", "/evp_proxy/v4/", "/telemetry/proxy/", "/v0.7/config"]


def metrics(span):
    found = {}
    if "input_tokens" in span:
        found["input_tokens"] = span["input_tokens"]
        found["output_tokens"] = span.get("output_tokens", 0)
        found["total_tokens"] = span["input_tokens"] + span.get("output_tokens", 0)
        found["total_cost"] = span["cost_usd"]
    if "cached_tokens" in span:
        found["cache_read_input_tokens"] = span["cached_tokens"]
        found["cache_write_input_tokens"] = span["cache_write_tokens"]
        found["non_cached_input_tokens"] = span["input_tokens"] - span["cached_tokens"] - span["cache_write_tokens"]
        found["reasoning_output_tokens"] = span["reasoning_tokens"]
    if "first_item_us" in span:
        found["time_to_first_token"] = span["first_item_us"] / 1e6
    return found


def documents(items):
    return [
        {ours: item[theirs] for ours, theirs in (("text", "content"), ("name", "source"), ("id", "id"), ("score", "score"))
         if theirs in item}
        for item in items
    ]


def annotation(span):
    """What `LLMObs.annotate` is told of a span."""
    given, made = span.get("input", span.get("query")), span.get("output")
    if span["kind"] == "embed":
        given = [{"text": given}]
    if span["kind"] == "retrieve":
        made = documents(span["generated"])
    elif "generated" in span:
        made = json.dumps(documents(span["generated"]))
    told = {"input_data": given, "output_data": made, "metrics": metrics(span) or None}
    told["metadata"] = {name: span[name] for name in ("top_k", "dimensions") if name in span} or None
    told["tags"] = {"user_id": QUESTION["user_id"], "tenant_id": QUESTION["tenant_id"]}
    if "prompt_name" in span:
        told["prompt"] = {"id": span["prompt_name"], "version": span["prompt_version"], "template": "{{question}}",
                          "variables": {"question": "How long does the battery last?"}}
    return {name: value for name, value in told.items() if value is not None}


def run(span, LLMObs, ids):
    kind = KINDS[span["kind"]]
    named = {"name": span["name"], "session_id": QUESTION["session_id"]}
    if kind in ("llm", "embedding"):
        named |= {"model_name": span["model"], "model_provider": span["provider"]}
    with getattr(LLMObs, kind)(**named) as opened:
        opened.start_ns = int(starts(span).timestamp() * 1_000_000) * 1000
        exported = LLMObs.export_span(opened)
        ids[span["name"]] = exported
        for child in children(span["name"]):
            run(child, LLMObs, ids)
        LLMObs.annotate(span=opened, **annotation(span))
        if "error" in span:
            opened.error = 1
            opened.set_tag("error.type", span["error"]["type"])
            opened.set_tag("error.message", span["error"]["message"])
            opened.set_tag("error.stack", "\n".join(span["error"]["chain"]))
        # `finish(time)` takes a float, which has no room for microseconds of today.
        opened._finish_ns(opened.start_ns + span["duration_us"] * 1000)


def evaluate(LLMObs, ids):
    for score in QUESTION["scores"]:
        kind, value = next((kind, score[name]) for name, kind in
                           (("number", "score"), ("flag", "boolean"), ("label", "categorical")) if name in score)
        LLMObs.submit_evaluation(label=score["name"], metric_type=kind, value=value, span=ids[score["span"]],
                                 ml_app=QUESTION["service"], timestamp_ms=1795335612000, reasoning=score.get("comment"),
                                 tags={"by": score["by"]})


def record():
    with Recorder({"/info": {"version": "7.70.0", "endpoints": ENDPOINTS, "client_drop_p0s": True}}) as recorder:
        for name in [name for name in os.environ if name.startswith("DD_")]:
            del os.environ[name]
        os.environ |= {
            "DD_TRACE_AGENT_URL": recorder.url, "DD_LLMOBS_ML_APP": QUESTION["service"], "DD_SERVICE": QUESTION["service"],
            "DD_ENV": QUESTION["environment"], "DD_VERSION": QUESTION["version"], "DD_INSTRUMENTATION_TELEMETRY_ENABLED": "false",
            "DD_REMOTE_CONFIGURATION_ENABLED": "false", "DD_LLMOBS_AGENTLESS_ENABLED": "false",
            "DD_APM_TRACING_ENABLED": "false", "DD_TRACE_GIT_METADATA_ENABLED": "false",
        }
        import ddtrace
        from ddtrace import tracer
        from ddtrace.llmobs import LLMObs

        LLMObs.enable(ml_app=QUESTION["service"], integrations_enabled=False)
        ids = {}
        run(SPANS[0], LLMObs, ids)
        evaluate(LLMObs, ids)
        tracer.flush()
        LLMObs.flush()
        LLMObs.disable()
        words = {exported["span_id"]: f"<{name}>" for name, exported in ids.items()}
        words[ids["question"]["trace_id"]] = "<trace>"
        words[f"ddtrace.version:{ddtrace.__version__}"] = "ddtrace.version:<version>"
        seen = sorted({request["path"] for request in recorder.requests})
        spans = [request(each, words) for each in recorder.posts(SPANS_PATH)]
        evaluations = [request(each, words) for each in recorder.posts(EVALUATIONS_PATH)]
        assert spans and evaluations, f"spans and evaluations were posted; seen: {seen}"
        return ddtrace.__version__, {"spans": spans, "evaluations": evaluations}


def request(recorded, words):
    known = ("content-type", "content-encoding", "x-datadog-evp-subdomain", "dd-api-key")
    content = replace_words(json.loads(decoded(recorded)), words)
    for event in content if isinstance(content, list) else []:
        event["_dd.tracer_version"] = "<version>"
        event["spans"] = [replaced(span) for span in event["spans"]]
    return {
        "path": recorded["path"],
        "headers": {name: value for name, value in recorded["headers"].items() if name in known},
        "json": content,
    }


def replaced(span):
    """Leaves out of a span what differs from run to run and is nothing that it was told."""
    span["tags"] = sorted(span["tags"])
    span["_dd"] |= {"apm_trace_id": "<apm trace>", "trace_id": "<apm trace>"}
    return span


if __name__ == "__main__":
    version, content = record()
    fixture("datadog-llmobs.json", f"POSTs of the Python client ddtrace {version} to an Agent for question.json; ids and the "
            "version are replaced.", content)
