"""Starts real receivers on loopback, runs a command beside them, and ends them, however the command ends.

    receivers.py light|heavy|phoenix BIN COMMAND…

`BIN` is the `bin` folder of the environment that the receivers are installed in. The command finds them by environment
variables, which `RECEIVERS` lists. Everything that they write is in a temporary folder, which goes with them; what they
said is printed if the command fails.
"""

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path

# Phoenix takes 20 to 45 s to start on an idle machine.
SECONDS_TO_START = 300
SECONDS_TO_END = 20


@dataclass
class Receiver:
    """A server: how it is started, where it answers when it is ready, and what the tests are told of it."""

    name: str
    command: list
    ready: str
    tells: dict
    environment: dict = field(default_factory=dict)


def free_ports(count):
    """Ports that nobody listens on now. Another process may take one before its server does: see `start`."""
    sockets = [socket.socket() for _ in range(count)]
    for each in sockets:
        each.bind(("127.0.0.1", 0))
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports


def test_agent(programs, folder):
    port, otlp, grpc = free_ports(3)
    return Receiver(
        "ddapm-test-agent",
        [programs / "ddapm-test-agent", "--port", port, "--otlp-http-port", otlp, "--otlp-grpc-port", grpc,
         "--disable-llmobs-data-forwarding"],
        f"http://127.0.0.1:{port}/info",
        {"RAGTRACE_TEST_AGENT_URL": f"http://127.0.0.1:{port}", "RAGTRACE_TEST_AGENT_OTLP_URL": f"http://127.0.0.1:{otlp}"},
    )


def rotel(programs, folder):
    http, grpc = free_ports(2)
    # The wheel has the program beside its modules.
    [program] = programs.parent.glob("lib/python*/site-packages/rotel/rotel-agent")
    return Receiver(
        "rotel",
        [program, "start", "--otlp-http-endpoint", f"127.0.0.1:{http}", "--otlp-grpc-endpoint", f"127.0.0.1:{grpc}",
         "--exporter", "blackhole", "--debug-log", "traces", "--debug-log", "logs", "--debug-log-verbosity", "detailed"],
        f"tcp://127.0.0.1:{http}",
        {"RAGTRACE_ROTEL_URL": f"http://127.0.0.1:{http}", "RAGTRACE_ROTEL_OUTPUT": str(folder / "output")},
    )


def recorder(programs, folder):
    """No receiver but a witness: backends that cannot be had are stood in for by it."""
    [port] = free_ports(1)
    python = programs.parent.parent / "golden" / "bin" / "python"
    return Receiver(
        "recorder",
        [python, Path(__file__).resolve().parent / "record.py", port],
        f"http://127.0.0.1:{port}/info",
        {"RAGTRACE_RECORDER_URL": f"http://127.0.0.1:{port}", "RAGTRACE_RECORDER_OUTPUT": str(folder / "output")},
    )


def phoenix(programs, folder):
    port, grpc = free_ports(2)
    return Receiver(
        "phoenix",
        [programs / "phoenix", "serve"],
        f"http://127.0.0.1:{port}/healthz",
        {"RAGTRACE_PHOENIX_URL": f"http://127.0.0.1:{port}"},
        {"PHOENIX_HOST": "127.0.0.1", "PHOENIX_PORT": port, "PHOENIX_GRPC_PORT": grpc, "PHOENIX_WORKING_DIR": folder,
         "PHOENIX_TELEMETRY_ENABLED": "false", "PHOENIX_ALLOW_EXTERNAL_RESOURCES": "false"},
    )


def mlflow(programs, folder):
    [port] = free_ports(1)
    return Receiver(
        "mlflow",
        [programs / "mlflow", "server", "--backend-store-uri", f"sqlite:///{folder}/mlflow.db", "--host", "127.0.0.1",
         "--port", port, "--workers", "1"],
        f"http://127.0.0.1:{port}/health",
        {"RAGTRACE_MLFLOW_URL": f"http://127.0.0.1:{port}"},
        {"MLFLOW_DISABLE_TELEMETRY": "true"},
    )


RECEIVERS = {"light": [test_agent, rotel, recorder], "heavy": [phoenix, mlflow], "phoenix": [phoenix]}


class Running:
    """A started server, in a process group of its own, so that its workers end with it."""

    def __init__(self, make, programs, folder):
        folder.mkdir()
        self.receiver = make(programs, folder)
        self.output = folder / "output"
        environment = {name: value for name, value in os.environ.items()
                       if not name.startswith(("DD_", "OTEL_", "ROTEL_", "PHOENIX_", "MLFLOW_", "RAGTRACE_"))}
        environment |= {name: str(value) for name, value in self.receiver.environment.items()}
        environment |= {"PYTHONUNBUFFERED": "1", "PATH": f"{programs}:{environment.get('PATH', '')}"}
        with self.output.open("wb") as output:
            self.process = subprocess.Popen([str(word) for word in self.receiver.command], cwd=folder, env=environment,
                                            stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True)

    def wait_until_ready(self):
        deadline = time.monotonic() + SECONDS_TO_START
        while not answers(self.receiver.ready):
            if self.process.poll() is not None:
                return False
            if time.monotonic() > deadline:
                raise TimeoutError(f"{self.receiver.name} did not start in {SECONDS_TO_START} s:\n{self.said()}")
            time.sleep(0.1)
        return True

    def end(self):
        for how in (signal.SIGTERM, signal.SIGKILL):
            try:
                os.killpg(self.process.pid, how)
            except ProcessLookupError:
                pass
            try:
                self.process.wait(SECONDS_TO_END)
            except subprocess.TimeoutExpired:
                continue
        self.process.wait(SECONDS_TO_END)

    def said(self):
        return self.output.read_text(errors="replace")[-20_000:]


def answers(url):
    if url.startswith("tcp://"):
        host, port = url.removeprefix("tcp://").split(":")
        try:
            socket.create_connection((host, int(port)), timeout=2).close()
            return True
        except OSError:
            return False
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:
            return answer.status == 200
    except OSError:
        return False


def start(make, programs, folder, running):
    """Starts a server, on other ports if it ends before it answers: somebody may have taken the first ones."""
    for attempt in range(3):
        server = Running(make, programs, folder / f"{make.__name__}-{attempt}")
        running.append(server)
        yield server
        if server.wait_until_ready():
            return
    sys.exit(f"{server.receiver.name} ended at its start:\n{server.said()}")


def main():
    if len(sys.argv) < 4 or sys.argv[1] not in RECEIVERS:
        sys.exit(__doc__)
    which, programs, command = sys.argv[1], Path(sys.argv[2]).resolve(), sys.argv[3:]
    for how in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(how, lambda *_: sys.exit("ended by a signal"))
    folder, running, code = Path(tempfile.mkdtemp(prefix="ragtrace-receivers-")), [], 1
    try:
        # All at once: one starts while another does.
        starts = [start(make, programs, folder, running) for make in RECEIVERS[which]]
        ready = [next(each) for each in starts]
        for at, each in enumerate(starts):
            for server in each:
                ready[at] = server
        environment = os.environ.copy()
        for server in ready:
            environment |= server.receiver.tells
        code = subprocess.run(command, env=environment).returncode
        for server in ready:
            if code:
                print(f"--- {server.receiver.name} said:\n{server.said()}", file=sys.stderr)
    finally:
        for server in running:
            server.end()
        shutil.rmtree(folder, ignore_errors=True)
    sys.exit(code)


if __name__ == "__main__":
    main()
