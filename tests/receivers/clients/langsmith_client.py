"""Records what the official `langsmith` client posts for the question: as it is, compressed, and scores."""

import json
import logging
import os
import re
import time
from datetime import timedelta

for name in [name for name in os.environ if name.startswith(("LANGSMITH_", "LANGCHAIN_"))]:
    del os.environ[name]
os.environ["LANGSMITH_TRACING"] = "true"

import langsmith
from langsmith import Client
from langsmith.run_trees import RunTree
from langsmith.uuid import uuid7_from_datetime

from multipart import parts, raw_parts
from question import QUESTION, SPANS, ends, fixture, replace_words, starts
from recorder import Recorder, decoded

RUN_TYPES = {
    "pipeline": "chain", "embed": "embedding", "retrieve": "retriever", "rerank": "retriever", "task": "chain",
    "generate": "llm", "tool": "tool",
}
LIMITS = {
    "use_multipart_endpoint": True, "size_limit": 100, "size_limit_bytes": 20971520, "scale_up_qsize_trigger": 1000,
    "scale_up_nthreads_limit": 16, "scale_down_nempty_trigger": 4,
}
# Of a run's `extra.runtime`, values that differ from machine to machine.
CONSTANT_RUNTIME = {"sdk", "library", "runtime"}


def info(zstd):
    return {"/info": {"version": "0.12.0", "instance_flags": {"zstd_compression_enabled": zstd},
                      "batch_ingest_config": LIMITS}}


def usage(span):
    counts = {"input_tokens": span["input_tokens"], "output_tokens": span.get("output_tokens", 0)}
    counts["total_tokens"] = sum(counts.values())
    if "cached_tokens" in span:
        counts["input_token_details"] = {
            "cache_read": span["cached_tokens"], "cache_creation": span["cache_write_tokens"],
        }
        counts["output_token_details"] = {"reasoning": span["reasoning_tokens"]}
    counts["total_cost"] = span["cost_usd"]
    return counts


def documents(items):
    return [
        {"page_content": item.get("content", ""), "type": "Document",
         "metadata": {key: item[key] for key in ("id", "score", "source") if key in item}}
        for item in items
    ]


def inputs(span):
    if "query" in span:
        found = {"query": span["query"]}
        if "used" in span:
            found["documents"] = documents(span["used"])
        return found
    given = span.get("input")
    if isinstance(given, list):
        return {"messages": given}
    return given if isinstance(given, dict) else {"input": given} if given is not None else {}


def outputs(span):
    if "generated" in span:
        return {"documents": documents(span["generated"])}
    made = span.get("output")
    found = {"messages": made} if isinstance(made, list) else {"output": made} if made is not None else {}
    if "input_tokens" in span:
        found["usage_metadata"] = usage(span)
    return found


def metadata(span):
    found = {"thread_id": QUESTION["session_id"], "user_id": QUESTION["user_id"], "tenant_id": QUESTION["tenant_id"]}
    if "model" in span:
        found |= {"ls_provider": span["provider"], "ls_model_name": span["model"], "usage_metadata": usage(span)}
        found |= {"ls_model_type": "chat"} if span["kind"] == "generate" else {}
    return found


def trace_question(client):
    """Sends the tree by posting each run as it begins and patching it as it ends, as `@traceable` does."""
    runs = {}
    for span in SPANS:
        common = {
            "name": span["name"], "run_type": RUN_TYPES[span["kind"]], "inputs": inputs(span), "start_time": starts(span),
            "id": uuid7_from_datetime(starts(span)), "extra": {"metadata": metadata(span)}, "tags": [span["kind"]],
        }
        if span["parent"] is None:
            run = RunTree(**common, ls_client=client, project_name="receivers")
        else:
            run_id = common.pop("id")
            run = runs[span["parent"]].create_child(**common, run_id=run_id)
        run.post()
        runs[span["name"]] = run
    for span in sorted(SPANS, key=ends):
        run = runs[span["name"]]
        if "first_item_us" in span:
            run.add_event({"name": "new_token", "time": (starts(span) + timedelta(microseconds=span["first_item_us"])).isoformat()})
        error = None
        if "error" in span:
            error = f"{span['error']['type']}: {span['error']['message']}: " + ": ".join(span["error"]["chain"])
        run.end(outputs=outputs(span) or None, error=error, end_time=ends(span))
        run.patch()
    return runs


def common_headers(request):
    """Headers of a request that another client has to send as well, or has to know of."""
    known = ("x-api-key", "x-tenant-id", "content-type", "content-encoding", "x-pre-compressed-size", "x-post-compressed-size",
             "accept", "user-agent")
    headers = {name: value for name, value in request["headers"].items() if name in known}
    headers["content-type"] = re.sub(r"boundary=.*", "boundary=<boundary>", headers["content-type"])
    headers["user-agent"] = headers["user-agent"].split("/")[0]
    if "content-encoding" in headers:
        contents = sum(len(content) for _, content in raw_parts(request))
        for size, exact, what in (("x-pre-compressed-size", contents, "bytes of the contents of all parts"),
                                  ("x-post-compressed-size", len(request["body"]), "bytes of the body")):
            assert int(headers[size]) == exact, f"{size}: {headers[size]}, not {exact}"
            headers[size] = f"<{what}>"
    return headers


def without_machine(run):
    """Replaces what a run says of the machine that it was made on."""
    extra = run.get("extra") or run
    runtime, metadata = extra.get("runtime", {}), extra.get("metadata", {})
    runtime |= {key: "<of the machine>" for key in runtime if key not in CONSTANT_RUNTIME}
    metadata |= {key: "<of the machine>" for key in ("revision_id", "LANGSMITH_TRACING") if key in metadata}


def normalised(request, words):
    found = parts(request)
    for part in found:
        if isinstance(part["json"], dict):
            without_machine(part["json"])
    return replace_words({"method": request["method"], "path": request["path"], "headers": common_headers(request),
                          "parts": found}, words)


def until(condition):
    """Waits for `condition`, ten seconds at most."""
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline, "it did not come about"
        time.sleep(0.01)


def record(zstd):
    with Recorder(info(zstd)) as recorder:
        client = Client(api_url=recorder.url, api_key="test-key", workspace_id="00000000-0000-4000-8000-000000000001",
                        auto_batch_tracing=True)
        if zstd:
            # A thread of the client's asks for /info, and compresses from then on.
            until(lambda: client.compressed_traces is not None)
        runs = trace_question(client)
        client.flush()
        client.cleanup()
        words = {str(run.id): f"<{name}>" for name, run in runs.items()}
        requests = recorder.posts("/runs/multipart")
        assert requests, "nothing was posted"
        assert all((request["headers"].get("content-encoding") == "zstd") == zstd for request in requests)
        return [normalised(request, words) for request in requests]


def record_batch():
    """Without the multipart endpoint: plain JSON."""
    answers = info(False)
    answers["/info"]["batch_ingest_config"] = LIMITS | {"use_multipart_endpoint": False}
    with Recorder(answers) as recorder:
        client = Client(api_url=recorder.url, api_key="test-key", auto_batch_tracing=True)
        runs = trace_question(client)
        client.flush()
        client.cleanup()
        words = {str(run.id): f"<{name}>" for name, run in runs.items()}
        requests = recorder.posts("/runs/batch")
        whole = {"post": [], "patch": []}
        for request in requests:
            for which, sent in json.loads(decoded(request)).items():
                whole[which] += sent
        for run in whole["post"] + whole["patch"]:
            without_machine(run)
        return {"headers": common_headers(requests[0]), "json": replace_words(whole, words)}


def record_scores():
    """Feedback in the background (a part of a multipart body, where trace_id is given), and alone (`POST /feedback`)."""
    with Recorder(info(False)) as recorder:
        client = Client(api_url=recorder.url, api_key="test-key", auto_batch_tracing=True)
        ids = {span["name"]: uuid7_from_datetime(starts(span)) for span in SPANS}
        words = {str(run): f"<{name}>" for name, run in ids.items()}
        for score in QUESTION["scores"]:
            value = score.get("number", score.get("flag"))
            common = {
                "run_id": ids[score["span"]], "key": score["name"], "comment": score.get("comment"),
                "score": value, "value": score.get("label"),
                "feedback_source_type": "model" if score["by"] == "llm" else "api",
            }
            for trace in ({"trace_id": ids["question"]}, {}):
                feedback = client.create_feedback(**common, **trace, stop_after_attempt=1)
                words[str(feedback.id)] = f"<feedback {score['name']}>"
        client.flush()
        client.cleanup()
        multipart = [normalised(request, words) for request in recorder.posts("/runs/multipart")]
        alone = [replace_words({"path": request["path"], "headers": common_headers(request),
                                "json": json.loads(decoded(request))}, words) for request in recorder.posts("/feedback")]
        for part in [part for request in multipart for part in request["parts"]] + alone:
            part["json"] = {key: "<now>" if key in ("created_at", "modified_at") else value
                            for key, value in part["json"].items()}
        assert multipart and len(alone) == len(QUESTION["scores"])
        return {"multipart": multipart, "alone": alone}


if __name__ == "__main__":
    version = langsmith.__version__
    logging.getLogger("langsmith").setLevel(logging.ERROR)
    compressed = record(True)
    zstd = {"headers": compressed[0]["headers"], "parts": [part["name"] for request in compressed for part in request["parts"]]}
    fixture("langsmith.json", f"POSTs of the Python client langsmith {version} for question.json; ids, the boundary and values "
            "of the machine are replaced. Uncompressed, the client merges a run's post and patch; compressed, it sends both.",
            {"plain": record(False), "zstd": zstd, "batch": record_batch(), "scores": record_scores()})
