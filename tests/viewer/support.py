"""What the tests of the viewer share: a store that records are imported into, and `ragtrace serve` over it."""

import contextlib
import os
import sqlite3
import subprocess

from playwright.sync_api import expect

import chromium
from chromium import NARROW, PATIENCE, ROOT, WIDE, Listening, WatchedTest, own_environment, own_folder
from records import now, timestamp

__all__ = ["NARROW", "PATIENCE", "WIDE", "Store", "Viewer", "ViewerTest", "expect", "picture", "row"]

PICTURES = ROOT / "target/viewer/pictures"
COMMAND = os.environ["RAGTRACE_COMMAND"]


class Store:
    """A SQLite file in a folder of its own."""

    def __init__(self, *traces):
        self._folder = own_folder()
        self.url = f"sqlite:{self._folder.name}/ragtrace.db"
        self.add(*traces)

    def add(self, *traces):
        self.run("import", "-", text="".join(trace.text() for trace in traces))

    def add_live(self, *traces):
        """Adds records of a process that is still at work: an import ends the processes that it imports."""
        self.add(*traces)
        with contextlib.closing(sqlite3.connect(self.url.removeprefix("sqlite:"), timeout=PATIENCE / 1000)) as database, database:
            database.execute("UPDATE instances SET ended_at = NULL, last_seen_at = ?", [timestamp(now())])

    def run(self, *arguments, text=None):
        command = [COMMAND, "--store", self.url, *arguments]
        done = subprocess.run(command, input=text, env=own_environment(), capture_output=True, text=True)
        assert done.returncode == 0, f"{arguments}: {done.stderr}"
        return done.stdout

    def remove(self):
        self._folder.cleanup()


class Viewer(Listening):
    """`ragtrace serve` on a free port of loopback."""

    def __init__(self, store, *arguments):
        super().__init__([COMMAND, "--store", store.url, "serve", "--listen", "127.0.0.1:0", *arguments], own_environment())


class ViewerTest(WatchedTest):
    """A test with pages of a viewer over a store of its class's own."""

    READY = "main"
    # Arguments of the viewer that the tests of a class share.
    ARGUMENTS = ("--allow-writes",)

    @classmethod
    def traces(cls):
        """The traces that the store of the class holds."""
        return []

    @classmethod
    def setUpClass(cls):
        cls.store = Store(*cls.traces())
        cls.server = Viewer(cls.store, *cls.ARGUMENTS)

    @classmethod
    def tearDownClass(cls):
        cls.server.stop()
        cls.store.remove()

    def open_trace(self, trace, place="", **options):
        """The page of a trace, once its script has drawn the waterfall."""
        page = self.open(f"trace/{trace.id}{place}", **options)
        page.wait_for_selector("#trace[data-ready]")
        return page


def row(page, name, nth=0):
    """A row of the waterfall that is drawn, by the beginning of its name."""
    return page.locator(f'#wf-tree [role=treeitem][aria-label^="{name}"]').nth(nth)


def picture(page, name, whole=True):
    chromium.picture(page, PICTURES, name, whole)
