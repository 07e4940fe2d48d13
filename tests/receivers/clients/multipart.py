"""Bodies of `multipart/form-data` whose parts are JSON, strictly."""

import json
import re

from recorder import decoded


def raw_parts(request):
    """Header lines and content of each part of a multipart body, in order."""
    kind = request["headers"]["content-type"]
    boundary = re.fullmatch(r'multipart/form-data; boundary="?([^"]+)"?', kind)[1].encode()
    pieces = decoded(request).split(b"--" + boundary)
    assert pieces[0] == b"" and pieces[-1].strip() == b"--", "no preamble and no epilogue"
    for piece in pieces[1:-1]:
        head, content = piece.removeprefix(b"\r\n").split(b"\r\n\r\n", 1)
        yield dict(line.split(": ", 1) for line in head.decode().split("\r\n")), content.removesuffix(b"\r\n")


def parts(request):
    """The parts of a multipart body, the JSON in each read."""
    found = []
    for headers, content in raw_parts(request):
        assert int(headers.pop("Content-Length")) == len(content), "a part's length is that of its content"
        name = re.fullmatch(r'form-data; name="([^"]+)"', headers.pop("Content-Disposition"))[1]
        found.append({"name": name, "headers": headers, "json": json.loads(content)})
    return found
