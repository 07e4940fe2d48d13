"""A server on loopback that takes every request and remembers it."""

import gzip
import json
import threading
import zlib
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Recorder:
    """Listens on a free port for as long as it is entered; `requests` holds what came, in order."""

    def __init__(self, answers=None, port=0):
        # What GETs of a path, and POSTs to it, are answered with as JSON; `{}` for what is not in it.
        self.answers = answers or {}
        self.requests = []
        self.port = port
        self._lock = threading.Lock()

    def __enter__(self):
        recorder = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def handle_request(self):
                body = read_body(self)
                request = {
                    "method": self.command,
                    "path": self.path,
                    "headers": {name.lower(): value for name, value in self.headers.items()},
                    "body": body,
                }
                with recorder._lock:
                    recorder.requests.append(request)
                answer = json.dumps(recorder.answers.get(self.path.split("?")[0], {})).encode()
                self.send_response(200 if self.command == "GET" else 202)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            do_GET = do_POST = do_PUT = do_PATCH = handle_request

            def log_message(self, *_):
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", self.port), Handler)
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        return self

    def __exit__(self, *_):
        self._server.shutdown()
        self._server.server_close()

    def posts(self, path):
        """The POSTs to `path` so far."""
        with self._lock:
            return [request for request in self.requests if request["method"] == "POST" and request["path"] == path]


def read_body(handler):
    """The body of a request, whichever way its length is told."""
    if handler.headers.get("Transfer-Encoding", "").lower() == "chunked":
        whole = b""
        while size := int(handler.rfile.readline().split(b";")[0], 16):
            whole += handler.rfile.read(size)
            handler.rfile.readline()
        handler.rfile.readline()
        return whole
    return handler.rfile.read(int(handler.headers.get("Content-Length", 0)))


def decoded(request):
    """The body of a request without its content encoding."""
    body, encoding = request["body"], request["headers"].get("content-encoding", "identity")
    if encoding == "gzip":
        return gzip.decompress(body)
    if encoding == "deflate":
        return zlib.decompress(body)
    if encoding == "zstd":
        import zstandard

        return zstandard.ZstdDecompressor().decompressobj().decompress(body)
    if encoding != "identity":
        raise ValueError(f"unknown content encoding {encoding}")
    return body
