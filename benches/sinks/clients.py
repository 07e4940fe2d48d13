"""Measures the official Python clients on what the sinks of ours are measured on, against the same server.

    clients.py langsmith|ddtrace full|content ADDRESS

Counted is the CPU time of the process, from a run that the application hands over to the end of a flush: making the run,
encoding, compressing, sending. One line of JSON.
"""

import json
import os
import resource
import sys
import urllib.request
import warnings
from datetime import datetime, timedelta, timezone
from pathlib import Path

RUNS = {"full": 4_000, "content": 1_000}
HALF = 2048
TEXTS = []
WORDS = (Path(__file__).resolve().parents[2] / "ARCHITECTURE.md").read_text().split()


def cpu():
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def prose(seed):
    """The same words as `src/records.rs` has them."""
    text, size, state = [], 0, seed
    while size < HALF:
        state = (state * 6_364_136_223_846_793_005 + 1_442_695_040_888_963_407) % 2**64
        text.append(WORDS[(state >> 33) % len(WORDS)])
        size += len(text[-1].encode()) + 1
    return " ".join(text) + " "


def counts(address):
    return json.loads(urllib.request.urlopen(f"http://{address}/counts").read())


def langsmith(mix, address):
    for name in [name for name in os.environ if name.startswith(("LANGSMITH_", "LANGCHAIN_"))]:
        del os.environ[name]
    os.environ["LANGSMITH_TRACING"] = "true"
    import logging
    import time

    logging.getLogger("langsmith").setLevel(logging.ERROR)
    from langsmith import Client
    from langsmith.uuid import uuid7

    client = Client(api_url=f"http://{address}", api_key="k" * 32, auto_batch_tracing=True)
    deadline = time.monotonic() + 10
    while client.compressed_traces is None and time.monotonic() < deadline:
        time.sleep(0.01)
    begun = datetime.now(timezone.utc)

    def run(at):
        start = begun + timedelta(microseconds=at)
        number = uuid7()
        if mix == "full":
            told = {"chunk.id": at, "chunk.pages": 7}, {"count": 0}
        else:
            told = {"input": TEXTS[2 * at]}, {"output": TEXTS[2 * at + 1]}
        metadata = {"user_id": "alice", "tenant_id": "acme"}
        if mix == "content":
            metadata |= {"ls_provider": "openai", "ls_model_name": "gpt-5-mini", "usage_metadata": {
                "input_tokens": 700, "output_tokens": 300, "total_tokens": 1_000, "total_cost": 0.0012}}
        client.create_run(
            name=mix, run_type="chain" if mix == "full" else "llm", inputs=told[0], outputs=told[1], id=number,
            trace_id=number, dotted_order=start.strftime("%Y%m%dT%H%M%S%fZ") + str(number), start_time=start,
            end_time=start + timedelta(microseconds=30), session_name="bench", extra={"metadata": metadata})

    return run, client.flush


def ddtrace(mix, address):
    for name in [name for name in os.environ if name.startswith("DD_")]:
        del os.environ[name]
    os.environ |= {
        "DD_TRACE_AGENT_URL": f"http://{address}", "DD_SERVICE": "bench", "DD_ENV": "test", "DD_VERSION": "1.0.0",
        "DD_INSTRUMENTATION_TELEMETRY_ENABLED": "false", "DD_REMOTE_CONFIGURATION_ENABLED": "false",
        "DD_LLMOBS_AGENTLESS_ENABLED": "false", "DD_APM_TRACING_ENABLED": "false", "DD_TRACE_GIT_METADATA_ENABLED": "false",
    }
    from ddtrace.llmobs import LLMObs

    LLMObs.enable(ml_app="bench", integrations_enabled=False)

    def run(at):
        if mix == "full":
            with LLMObs.task(name=mix) as span:
                LLMObs.annotate(span=span, metadata={"chunk.id": at, "chunk.pages": 7}, tags={"user_id": "alice"})
        else:
            with LLMObs.llm(name=mix, model_name="gpt-5-mini", model_provider="openai") as span:
                LLMObs.annotate(span=span, input_data=TEXTS[2 * at], output_data=TEXTS[2 * at + 1], tags={"user_id": "alice"},
                                metrics={"input_tokens": 700, "output_tokens": 300, "total_cost": 0.0012})

    return run, LLMObs.flush


def main():
    warnings.simplefilter("ignore")
    client, mix, address = sys.argv[1:]
    if mix == "content":
        TEXTS.extend(prose(seed) for seed in range(2 * RUNS[mix]))
    run, flush = {"langsmith": langsmith, "ddtrace": ddtrace}[client](mix, address)

    def burst():
        # Its buffer may be bounded: with a flush every so often nothing is lost.
        for at in range(RUNS[mix]):
            run(at)
            if at % 200 == 199:
                flush()
        flush()

    burst()
    counts(address)
    began = cpu()
    burst()
    took, sent = cpu() - began, counts(address)
    rate = RUNS[mix] / took
    print(json.dumps({"backend": f"{client} (Python)", "mix": mix, "records": RUNS[mix], "per_second": round(rate),
                      "mb_per_second": round(rate * 2 * HALF / 1e6, 1), "bytes": round(sent["bytes"] / RUNS[mix], 1),
                      "requests": sent["requests"]}), flush=True)
    os._exit(0)


if __name__ == "__main__":
    main()
