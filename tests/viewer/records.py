"""Records of artificial traces, in their canonical JSON, for `ragtrace import`."""

import itertools
import json
import time
import uuid

INSTANCE = "0199a1c2-0000-7000-8000-000000000001"
LEVELS = {"failed": "ERROR", "cancelled": "WARN"}


def now():
    """The time in microseconds since 1970."""
    return time.time_ns() // 1000


def timestamp(micros):
    seconds, rest = divmod(micros, 1_000_000)
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds)) + f".{rest:06}Z"


class Trace:
    """The records of one trace. Times are milliseconds from its start."""

    def __init__(self, ago=600, user="alice", tenant="acme", **more):
        """Begins a trace `ago` seconds before now."""
        self.id = str(uuid.uuid4())
        self.begin = now() - int(ago * 1_000_000)
        self.lines = []
        self._spans = itertools.count(1)
        self._common = {"trace_id": self.id, "user_id": user, "tenant_id": tenant, "service": "rag-api", "version": "1.4.2", "instance": INSTANCE, **more}

    def span(self, stage, at, took, parent=None, kind="task", status="completed", **parts):
        """Adds a run of a stage, and returns the id of its span. `took` is None for one that still runs.

        `parts` are members of the end's JSON, such as `context`, `metrics`, `error`, `generated`.
        """
        span = f"{next(self._spans):016x}"
        self.start(stage, at, parent, kind, span, context=parts.get("context"))
        if took is not None:
            self.end(stage, at, took, parent, kind, span, status, **parts)
        return span

    def start(self, stage, at, parent, kind, span, context=None):
        self._add("started", stage, at, parent, kind, span, {"context": context})

    def end(self, stage, at, took, parent, kind, span, status="completed", **parts):
        parts["metrics"] = {"duration_ms": took, **parts.get("metrics", {})}
        self._add(status, stage, at + took, parent, kind, span, parts)

    def log(self, message, at, span, level="INFO", **parts):
        line = self._line("log", at, message) | {"span_id": span, "level": level, **parts}
        self.lines.append(line)

    def score(self, name, value, span=None, by="human", comment=None):
        score = {"name": name, "value": value, "by": by} | ({"comment": comment} if comment else {})
        line = self._line("score", 10_000, f"{name}_scored") | {"logger": "score", "score": score}
        self.lines.append(line | ({"span_id": span} if span else {}))

    def _add(self, event, stage, at, parent, kind, span, parts):
        line = self._line(event, at, f"{stage}_{event}")
        line |= {"stage": stage, "kind": kind, "span_id": span, "level": LEVELS.get(event, "INFO")}
        line |= {"parent_span_id": parent} if parent else {"local_root": True}
        line |= {"source": {"file": "src/rag.rs", "line": 41}}
        self.lines.append(line | {name: part for name, part in parts.items() if part is not None})

    def _line(self, event, at, message):
        return self._common | {
            "id": str(uuid.uuid4()),
            "timestamp": timestamp(self.begin + int(at * 1000)),
            "level": "INFO",
            "logger": "rag",
            "message": message,
            "event": event,
        }

    def text(self):
        return "".join(json.dumps(line) + "\n" for line in self.lines)


ERROR = {"type": "EmbedError", "message": "the model is overloaded", "chain": ["POST https://models.example/embed", "503 Service Unavailable"]}


def ingestion(failed=False, slower=1, **who):
    """An ingestion of one document, which fails while it is embedded, or not."""
    trace = Trace(**who)
    end = {"status": "failed", "error": ERROR} if failed else {}
    doc = {"context": {"doc.name": "report.pdf"}}
    root = trace.span("ingestion", 0, 1_420 * slower, kind="pipeline", **doc, **end)
    trace.span("file_parsing", 2, 112, root, "parse", metrics={"count": 3})
    chunks = [{"type": "chunk", "id": f"report.pdf#{number}", "derived_from": "report.pdf"} for number in range(3)]
    chunking = trace.span("document_chunking", 116, 84, root, "chunk", metrics={"count": 128, "avg_chars": 512.5}, used=[{"type": "document", "id": "report.pdf"}], generated=chunks)
    embedding = trace.span("chunk_embedding", 201, 1_200 * slower, root, "embed", metrics={"count": 1_280, "cost_usd": 0.0021, "input_tokens": 90_210}, stack_trace="0: embed\n1: main" if failed else None, **end)
    trace.log("the document has 3 pages", 60, chunking)
    trace.log("attempt 1 of 3 failed", 700, embedding, "WARN", context={"status": "503"})
    if failed:
        trace.log("no attempt is left", 1_390, embedding, "ERROR")
    return trace


QUESTION = "How long does the battery last without sun?"
ANSWER = "About nine days, with the radio at its lowest power."


def question(**who):
    """A question with its answer, made of two of four documents."""
    trace = Trace(**who)
    root = trace.span("question", 0, 2_300, kind="pipeline", context={"input": QUESTION, "output": ANSWER})
    found = [{"type": "chunk", "id": f"guide.md#{number}", "score": round(0.91 - 0.13 * number, 2), "source": "guide.md", "content": f"Passage {number} of the guide."} for number in range(4)]
    trace.span("retrieval", 5, 180, root, "retrieve", context={"query": QUESTION}, metrics={"count": 4, "top_score": 0.91}, generated=found)
    messages = json.dumps([{"role": "system", "content": "Answer from the passages."}, {"role": "user", "content": QUESTION}])
    answering = trace.span("answering", 200, 2_090, root, "generate", context={"model": "larch-2", "input": messages, "output": ANSWER}, metrics={"cost_usd": 0.0142, "input_tokens": 1_830, "output_tokens": 64}, used=found[:2])
    trace.score("faithfulness", 0.83, answering, "llm")
    trace.score("helpful", True, comment="exactly what I looked for")
    return trace


def running(**who):
    """An ingestion that is at work: its root and its second stage have no end yet."""
    trace = Trace(ago=2, **who)
    root = trace.span("ingestion", 0, None, kind="pipeline", context={"doc.name": "live.pdf"})
    trace.span("file_parsing", 5, 200, root, "parse", metrics={"count": 7})
    open_span = trace.span("chunk_embedding", 220, None, root, "embed")
    return trace, root, open_span


def large(spans, depth=4, **who):
    """A trace of very many spans: documents with stages of their own, some of which fail."""
    trace = Trace(**who)
    per_document = depth + 1
    documents = (spans - 1) // per_document
    step = 0.5
    root = trace.span("ingestion", 0, documents * step + 10, kind="pipeline")
    for number in range(documents):
        at = number * step
        failed = number % 97 == 13
        end = {"status": "failed", "error": ERROR} if failed else {}
        above = trace.span("document_ingestion", at, step * 2, root, "pipeline", context={"doc.name": f"document-{number}.pdf"}, **end)
        for level in range(depth):
            kind = ("parse", "chunk", "embed", "store")[level % 4]
            last = end if level == depth - 1 else {}
            above = trace.span(f"stage_{level + 1}", at + 0.01 * level, step - 0.02 * level, above, kind, metrics={"count": level + 1, "cost_usd": 0.0001 if kind == "embed" else 0}, **last)
    return trace


HOSTILE = "<script>document.title='taken'</script><img src=x onerror=\"document.title='taken'\">\u202etxt.exe\u200b\u0007\x1b[31m'\"></title><!--"


def hostile(**who):
    """A trace with hostile text wherever text can be recorded, and a megabyte of it in two places."""
    more = {"session_id": HOSTILE, "request_id": HOSTILE, "request_type": HOSTILE, "environment": HOSTILE, "host": HOSTILE, "thread": HOSTILE}
    trace = Trace(**{"user": HOSTILE, "tenant": HOSTILE, **more, **who})
    error = {"type": HOSTILE, "message": HOSTILE + "\n" + "W" * 1_000_000, "chain": [HOSTILE, HOSTILE]}
    items = [{"type": HOSTILE, "id": HOSTILE, "score": 0.5, "source": HOSTILE, "content": HOSTILE, "derived_from": HOSTILE}]
    context = {HOSTILE: HOSTILE, "input": HOSTILE, "output": "x" * 1_000_000, "query": HOSTILE, "doc": json.dumps({HOSTILE: [HOSTILE]})}
    root = trace.span(HOSTILE, 0, 100, kind="pipeline", status="failed", error=error, stack_trace=HOSTILE, context=context, used=items, generated=items)
    trace.span("retrieval", 1, 20, root, "retrieve", context={HOSTILE: HOSTILE}, generated=items, logger=HOSTILE, source={"file": HOSTILE, "line": 1})
    trace.span("retrieval", 30, 20, root, "retrieve", context={HOSTILE: "another"}, generated=items)
    trace.log(HOSTILE, 50, root, "ERROR", context={HOSTILE: HOSTILE}, error=error)
    trace.score("x" * 20 + HOSTILE[:50], HOSTILE[:80], root, comment=HOSTILE)
    return trace
