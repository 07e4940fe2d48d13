"""Records what official clients send for `golden/question.json`, or compares what they send with what is recorded.

    golden.py write     makes the fixtures in `golden/` anew
    golden.py check     fails, with the difference, if a client sends anything else
"""

import difflib
import os
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
CLIENTS = {"langsmith_client.py": "langsmith.json", "ddtrace_client.py": "datadog-llmobs.json"}


def record(folder):
    for client in CLIENTS:
        environment = os.environ | {"RAGTRACE_GOLDEN": str(folder)}
        # Away from the repository: the clients read its version from Git.
        subprocess.run([sys.executable, "-W", "ignore", str(HERE / "clients" / client)], cwd=tempfile.gettempdir(),
                       env=environment, check=True, timeout=120)


def check():
    differs = False
    with tempfile.TemporaryDirectory() as folder:
        record(Path(folder))
        for name in CLIENTS.values():
            kept, now = (HERE / "golden" / name).read_text(), (Path(folder) / name).read_text()
            lines = difflib.unified_diff(kept.splitlines(), now.splitlines(), f"golden/{name}", "sent now", lineterm="")
            for line in lines:
                differs = True
                print(line)
    return differs


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["write"]:
            record(HERE / "golden")
        case ["check"]:
            sys.exit(check())
        case _:
            sys.exit(__doc__)
