"""The question of `golden/question.json`, which every client sends in its own way."""

import json
import os
from datetime import datetime, timedelta, timezone
from pathlib import Path

FOLDER = Path(__file__).resolve().parent.parent / "golden"
# Where fixtures are written; elsewhere to compare them with those that are there.
WRITTEN_TO = Path(os.environ.get("RAGTRACE_GOLDEN", FOLDER))
QUESTION = json.loads((FOLDER / "question.json").read_text())
STARTED_AT = datetime.fromisoformat(QUESTION["started_at"].replace("Z", "+00:00")).astimezone(timezone.utc)
SPANS = QUESTION["spans"]


def starts(span):
    """When a span began."""
    return STARTED_AT + timedelta(microseconds=span["start_us"])


def ends(span):
    """When a span ended."""
    return starts(span) + timedelta(microseconds=span["duration_us"])


def children(name):
    """The spans directly under a span."""
    return [span for span in SPANS if span["parent"] == name]


def fixture(name, about, content):
    """Writes a fixture."""
    (WRITTEN_TO / name).write_text(pretty({"about": about, **content}) + "\n")


def pretty(value, indent=0):
    """JSON with what fits into a line on one, and members sorted, so that a change shows as one."""
    line = json.dumps(value, sort_keys=True, ensure_ascii=False)
    if not isinstance(value, (dict, list)) or len(line) + indent <= 110:
        return line
    inner = " " * (indent + 2)
    if isinstance(value, dict):
        members = [f"{json.dumps(key)}: {pretty(value[key], indent + 2)}" for key in sorted(value)]
        opening, closing = "{", "}"
    else:
        members, opening, closing = [pretty(member, indent + 2) for member in value], "[", "]"
    return opening + "\n" + ",\n".join(inner + member for member in members) + "\n" + " " * indent + closing


def replace_words(value, words):
    """`value` with every word of `words` in its texts, keys included, replaced by what stands for it."""
    if isinstance(value, dict):
        return {replace_words(key, words): replace_words(member, words) for key, member in value.items()}
    if isinstance(value, list):
        return [replace_words(member, words) for member in value]
    if isinstance(value, str):
        for word, stands_for in words.items():
            value = value.replace(word, stands_for)
    return value
