"""Takes the README's pictures of the viewer and of the terminal. `scripts/picture-viewer` runs it."""

import html
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from chromium import DATA, Browser, own_environment, own_folder
from support import COMMAND, Viewer, expect

EXAMPLES = Path(os.environ["RAGTRACE_EXAMPLES"])
WINDOW = {"width": 1240, "height": 960}
QUESTIONS = {
    "alice": ["How long does the battery last without sun?", "How often should the rain gauge be cleaned?"],
    "bob": ["How exact is the thermometer?", "Where are my readings kept?"],
    "carol": ["How far does the radio link reach?", "Why does my station show less rain than my neighbour's?"],
}

# The colours of a terminal, by the numbers of SGR (ECMA-48).
COLOURS = {"31": "#ff7b72", "32": "#7ee787", "33": "#e3b341", "34": "#79c0ff", "35": "#d2a8ff", "36": "#76e3ea", "90": "#8b949e"}
TERMINAL = """<!doctype html><meta charset=utf-8><style>
    body {{ margin: 0; padding: 18px 22px; width: max-content; background: #0d1117; color: #e6edf3; }}
    pre {{ margin: 0; font: 14px/1.35 "JetBrains Mono", monospace; }}
    .prompt {{ color: #7ee787; }}
</style><pre><span class=prompt>$</span> {command}
{output}</pre>"""


class Run:
    """The examples' pipeline over real documents, in a folder of its own."""

    def __init__(self):
        self._folder = own_folder()
        self.work = Path(self._folder.name)
        self.url = f"sqlite:{self.work}/ragtrace.db"
        shutil.copytree(DATA, self.work / "data")
        whole = (DATA / "specification.pdf").read_bytes()
        (self.work / "data/inspection.pdf").write_bytes(whole[: len(whole) // 3])
        self._example("ingest", "--user", "alice", "data", fails=True)
        for user, questions in QUESTIONS.items():
            for question in questions:
                self._example("ask", "--log-question", "--user", user, question)

    def _example(self, name, *arguments, fails=False):
        environment = own_environment() | {"RAGTRACE_SINKS": "sqlite", "RAGTRACE_SQLITE_PATH": f"{self.work}/ragtrace.db", "RAGTRACE_CONSOLE": "off"}
        done = subprocess.run([EXAMPLES / name, *arguments], cwd=self.work, env=environment, capture_output=True, text=True)
        if done.returncode != 0 and not fails:
            sys.exit(f"{name} {arguments}: {done.stderr}")

    def command(self, *arguments):
        done = subprocess.run([COMMAND, "--store", self.url, *arguments], env=own_environment(), capture_output=True, text=True)
        return done.stdout

    def remove(self):
        self._folder.cleanup()


def take(page, folder, name):
    page.screenshot(path=folder / f"{name}.png")


def viewer_pictures(run, folder):
    failed = run.command("traces", "--status", "failed", "--format", "jsonl") or run.command("traces", "--operation", "ingestion", "--format", "jsonl")
    trace = re.search(r'"trace_id":"([^"]+)"', failed)[1]
    viewer = Viewer(run)
    try:
        for scheme in ("light", "dark"):
            context = Browser.get().new_context(viewport=WINDOW, device_scale_factor=2, color_scheme=scheme)
            page = context.new_page()
            page.goto(viewer.url)
            expect(page.locator("[aria-busy=true]")).to_have_count(0)
            take(page, folder, f"viewer-traces-{scheme}")
            page.goto(f"{viewer.url}/trace/{trace}")
            page.wait_for_selector("#trace[data-ready]")
            page.keyboard.press("e")
            page.keyboard.press("Enter")
            expect(page.locator("#panel-body h2")).to_be_visible()
            page.evaluate("scrollTo({top: 0, behavior: 'instant'})")
            take(page, folder, f"viewer-trace-{scheme}")
            context.close()
    finally:
        viewer.stop()
    return trace


def terminal_picture(run, folder, trace):
    text = run.command("trace", trace, "--width", "100", "--color", "always")
    context = Browser.get().new_context(viewport=WINDOW, device_scale_factor=2)
    page = context.new_page()
    page.set_content(TERMINAL.format(command=f"ragtrace trace {trace[:8]}", output=painted(text)))
    page.locator("body").screenshot(path=folder / "terminal-trace.png")
    context.close()


def painted(text):
    """Turns SGR escapes into spans."""
    written, is_open = [], False
    for part in re.split(r"(\x1b\[[0-9;]*m)", text):
        if not part.startswith("\x1b"):
            written.append(html.escape(part))
            continue
        if is_open:
            written.append("</span>")
        codes = [code for code in part[2:-1].split(";") if code not in ("", "0")]
        styles = [f"color: {COLOURS[code]}" for code in codes if code in COLOURS]
        styles += ["font-weight: 700"] * ("1" in codes) + ["color: #8b949e"] * ("2" in codes)
        is_open = bool(styles)
        if is_open:
            written.append(f'<span style="{"; ".join(styles)}">')
    return "".join(written) + ("</span>" if is_open else "")


def main():
    folder = Path(sys.argv[1]).resolve()
    run = Run()
    try:
        terminal_picture(run, folder, viewer_pictures(run, folder))
    finally:
        run.remove()


if __name__ == "__main__":
    main()
