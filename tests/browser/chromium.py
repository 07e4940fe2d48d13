"""What all browser tests share: Chromium, a program that listens, and a page that is watched for errors."""

import atexit
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import unittest
from pathlib import Path

import axe_playwright_python
from playwright.sync_api import expect, sync_playwright

ROOT = Path(__file__).resolve().parents[2]
DATA = ROOT / "examples/data"
AXE = (Path(axe_playwright_python.__file__).parent / "axe.min.js").read_text(encoding="utf-8")

# A bound on each wait, in milliseconds; on a busy machine one core does the work of four.
PATIENCE = 30_000

SECONDS_TO_START = 30
SECONDS_TO_END = 20

WIDE = {"width": 1280, "height": 900}
NARROW = {"width": 360, "height": 760}

expect.set_options(timeout=PATIENCE)


def chromium_path():
    """The system's Chromium, or the one that `RAGTRACE_CHROMIUM` names."""
    named = os.environ.get("RAGTRACE_CHROMIUM")
    candidates = [named] if named else ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"]
    for candidate in candidates:
        if path := shutil.which(candidate):
            return path
    sys.exit("install Chromium first, or name it in RAGTRACE_CHROMIUM")


class Browser:
    """One Chromium for all tests; each test gets a context of its own."""

    _playwright = _browser = None

    @classmethod
    def get(cls):
        if cls._browser is None:
            cls._playwright = sync_playwright().start()
            # Chromium's sandbox refuses to work as root, as in containers; everybody else keeps it.
            arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
            cls._browser = cls._playwright.chromium.launch(
                executable_path=chromium_path(), args=[*arguments, "--disable-dev-shm-usage"]
            )
            atexit.register(cls.close)
        return cls._browser

    @classmethod
    def close(cls):
        if cls._browser is not None:
            cls._browser.close()
            cls._playwright.stop()
            cls._browser = None


def own_environment():
    """The environment without what would make ragtrace write or read elsewhere."""
    return {key: value for key, value in os.environ.items() if not key.startswith(("RAGTRACE_", "OTEL_", "DD_"))}


class Listening:
    """A program that says on which address of loopback it listens. """

    def __init__(self, command, environment):
        self._process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        self._said = []
        self._url = None
        self._ready = threading.Event()
        # Who does not read what it says stops it in the end.
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        atexit.register(self.stop)
        if not self._ready.wait(SECONDS_TO_START) or self._url is None:
            self.stop()
            sys.exit(f"{command[0]} did not start; it said:\n{''.join(self._said)}")
        self.url = self._url

    def _read(self):
        for line in self._process.stdout:
            self._said.append(line)
            if found := re.search(r"listening on (http://\S+)", line):
                self._url = found[1].rstrip("/")
                self._ready.set()
        self._ready.set()

    def stop(self):
        if self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(SECONDS_TO_END)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        self._reader.join()
        self._process.stdout.close()


def own_folder():
    """A folder for one program's files. It goes when the program that has it does."""
    return tempfile.TemporaryDirectory(prefix="ragtrace-browser-")


class WatchedTest(unittest.TestCase):
    """A test with pages of `self.server`, which fails on any error that the browser's console shows."""

    # What is there once a page can be used.
    READY = "body"

    def setUp(self):
        self.errors = []
        self.expected_errors = []

    def open(self, place="", **options):
        """A page of its own at `place`. `options` are those of Playwright's `new_context`."""
        context = Browser.get().new_context(viewport=options.pop("viewport", WIDE), **options)
        context.set_default_timeout(PATIENCE)
        self.addCleanup(context.close)
        page = context.new_page()
        page.on("console", lambda message: message.type in ("error", "warning") and self.errors.append(message.text))
        page.on("pageerror", lambda error: self.errors.append(f"uncaught: {error}"))
        page.on("dialog", lambda dialog: (self.errors.append(f"dialog: {dialog.message}"), dialog.dismiss()))
        page.goto(f"{self.server.url}/{place}")
        page.wait_for_selector(self.READY)
        return page

    def expect_error(self, pattern):
        """The browser itself reports each answer that is no success, and each connection that breaks, as an error."""
        self.expected_errors.append(re.compile(pattern))

    def tearDown(self):
        unexpected = [error for error in self.errors if not any(pattern.search(error) for pattern in self.expected_errors)]
        self.assertEqual(unexpected, [], "the console must stay empty")

    def assert_accessible(self, page, state):
        """No rule of axe-core is broken that matters to anybody."""
        run = "axe.run(document, {resultTypes: ['violations']})"
        violations = page.evaluate(f"{AXE}\n;{run}.then((result) => result.violations)")
        faults = [
            f"{each['id']} ({each['impact']}): {node['html'][:200]}: {node['failureSummary']}"
            for each in violations
            for node in each["nodes"]
        ]
        self.assertEqual(faults, [], f"{state}: axe-core")

    def assert_no_sideways_scrolling(self, page, state):
        over = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        self.assertLessEqual(over, 0, f"{state}: the page is wider than its window")


def picture(page, folder, name, whole=True):
    folder.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=folder / f"{name}.png", full_page=whole)


# A test run that is ended ends what it started.
signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
