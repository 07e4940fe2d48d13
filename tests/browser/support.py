"""What the tests of the example service share: the service as a process of its own, its page, and files for it."""

import base64
import os
import re

from playwright.sync_api import expect

import chromium
from chromium import DATA, NARROW, ROOT, WIDE, Listening, WatchedTest, own_environment, own_folder

__all__ = ["DATA", "NARROW", "WIDE", "PageTest", "HOLD_THE_ACCOUNT", "broken_pdf", "choose", "drop", "ingest_examples", "picture"]

PICTURES = ROOT / "target/browser/pictures"

# Keeps the answer to an upload from the page until `release()`: what is seen before that came live.
HOLD_THE_ACCOUNT = """
    const add = XMLHttpRequest.prototype.addEventListener;
    const held = new Promise((resolve) => { window.release = resolve; });
    XMLHttpRequest.prototype.addEventListener = function (type, listener, ...rest) {
        const later = (event) => held.then(() => listener.call(this, event));
        add.call(this, type, type === "load" ? later : listener, ...rest);
    };
"""


class Server(Listening):
    """The example service on a free port of loopback."""

    def __init__(self, *arguments):
        self._folder = own_folder()
        environment = own_environment()
        environment |= {"RAGTRACE_SINKS": "sqlite", "RAGTRACE_SQLITE_PATH": f"{self._folder.name}/ragtrace.db", "RAGTRACE_CONSOLE": "off"}
        command = [os.environ["RAGTRACE_SERVER"], "--listen", "127.0.0.1:0", "--data", f"{self._folder.name}/data", *arguments]
        super().__init__(command, environment)

    def stop(self):
        super().stop()
        self._folder.cleanup()


class PageTest(WatchedTest):
    """A test with a page of the service."""

    READY = ".view:not([hidden]), #sign-in:not([hidden])"
    # Arguments of the service that the tests of a class share.
    ARGUMENTS = ()

    @classmethod
    def setUpClass(cls):
        cls.server = Server(*cls.ARGUMENTS)

    @classmethod
    def tearDownClass(cls):
        cls.server.stop()


def picture(page, name, whole=True):
    chromium.picture(page, PICTURES, name, whole)


def broken_pdf():
    """A PDF that ends in the middle, as a download does that broke off."""
    whole = (DATA / "specification.pdf").read_bytes()
    return whole[: len(whole) // 3]


def drop(page, *files):
    """Drops files, given as name and bytes, onto the page, as an operating system's file manager does."""
    transfer = page.evaluate_handle(
        """(files) => {
            const transfer = new DataTransfer();
            for (const [name, bytes] of files) transfer.items.add(new File([Uint8Array.from(atob(bytes), (c) => c.charCodeAt(0))], name));
            return transfer;
        }""",
        [[name, base64.b64encode(content).decode()] for name, content in files],
    )
    for kind in ("dragenter", "dragover", "drop"):
        page.dispatch_event("#main", kind, {"dataTransfer": transfer})


def choose(page, *files):
    """Chooses files, given as name and bytes, in the page's file input."""
    chosen = [{"name": name, "mimeType": "application/octet-stream", "buffer": content} for name, content in files]
    page.set_input_files("#files", chosen)


def ingest_examples(page):
    """Ingests the example documents, and waits until they are stored."""
    choose(page, *((path.name, path.read_bytes()) for path in sorted(DATA.iterdir())))
    expect(page.locator(".batch[data-state=ended] h2").first).to_have_text(re.compile("files stored"))
