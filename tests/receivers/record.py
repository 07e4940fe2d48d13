"""A server on loopback that takes every request, and writes each as a line of JSON on standard output.

    record.py PORT

A line has `path`, `headers` (lower case), `encoded` (bytes on the wire), `decoded` (bytes without content encoding), and
`json`, or for a multipart body `parts`: a list of `{name, headers, json}`. A body that is none of these is an error, which the line says.
"""

import json
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent / "clients"))

from multipart import parts
from recorder import Recorder, decoded

INFO = {
    "version": "0.12.0",
    "instance_flags": {"zstd_compression_enabled": True},
    "batch_ingest_config": {"use_multipart_endpoint": True, "size_limit": 100, "size_limit_bytes": 20971520},
}


def line(request):
    told = {"path": request["path"], "headers": request["headers"], "encoded": len(request["body"])}
    try:
        body = decoded(request)
        told["decoded"] = len(body)
        if request["headers"].get("content-type", "").startswith("multipart/"):
            told["parts"] = parts(request)
        elif body:
            told["json"] = json.loads(body)
    except Exception as error:
        told["error"] = f"{type(error).__name__}: {error}"
    return json.dumps(told)


def main():
    with Recorder({"/info": INFO}, int(sys.argv[1])) as recorder:
        said = 0
        while True:
            for request in recorder.requests[said:]:
                said += 1
                print(line(request), flush=True)
            time.sleep(0.02)


if __name__ == "__main__":
    main()
