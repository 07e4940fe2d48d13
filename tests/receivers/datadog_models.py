"""Passes payloads through the models of Datadog's official client, and fails on what they do not know.

    datadog_models.py logs|series|distributions PAYLOAD.json…

A payload is the JSON body of a request. An entry of the logs' intake may have any attributes of its own: those are
told apart from the model's members and must be JSON. Everything else that a model does not name is an error.
"""

import json
import sys
from pathlib import Path

from datadog_api_client import Configuration
from datadog_api_client.model_utils import ModelNormal, UnparsedObject, validate_and_convert_types
from datadog_api_client.v1.model.distribution_points_payload import DistributionPointsPayload
from datadog_api_client.v2.model.http_log import HTTPLog
from datadog_api_client.v2.model.metric_payload import MetricPayload

MODELS = {"logs": HTTPLog, "series": MetricPayload, "distributions": DistributionPointsPayload}
# The members that the logs' intake gives a meaning, by the name on the wire (HTTPLogItem); the rest are attributes.
OPEN_MODELS = {"HTTPLogItem"}


def read(model, payload):
    """The payload as an instance of `model`."""
    return validate_and_convert_types(
        payload, (model,), ["payload"], True, True, Configuration())


def unknown(value, path="payload"):
    """Paths in a parsed payload of what no model knows or could read."""
    if isinstance(value, UnparsedObject):
        yield f"{path}: fits none of the allowed shapes: {value._data_store}"
    elif isinstance(value, ModelNormal):
        names = set(value.attribute_map)
        if value._unparsed:
            yield f"{path}: could not be read as {type(value).__name__}"
        for name, member in value._data_store.items():
            if name not in names and type(value).__name__ not in OPEN_MODELS:
                yield f"{path}.{name}: not a member of {type(value).__name__}"
            yield from unknown(member, f"{path}.{name}")
    elif hasattr(value, "_data_store") and "value" in getattr(value, "_data_store", {}):
        yield from unknown(value.value, path)
    elif isinstance(value, list):
        for at, member in enumerate(value):
            yield from unknown(member, f"{path}[{at}]")


def check(kind, payload):
    """The faults of a payload, each with its path; none if the official models take all of it."""
    try:
        parsed = read(MODELS[kind], payload)
    except Exception as error:  # The client's own, which names the path.
        return [f"{type(error).__name__}: {error}"]
    faults = list(unknown(parsed))
    if kind == "logs":
        faults += [
            f"payload[{at}].{name}: expected a text, found {entry[name]!r}"
            for at, entry in enumerate(payload)
            for name in ("message", "ddsource", "ddtags", "hostname", "service")
            if name in entry and not isinstance(entry[name], str)
        ]
        faults += [f"payload[{at}]: no message" for at, entry in enumerate(payload) if "message" not in entry]
    return faults


def main():
    if len(sys.argv) < 3 or sys.argv[1] not in MODELS:
        sys.exit(__doc__)
    kind, failed = sys.argv[1], False
    for name in sys.argv[2:]:
        payload = json.loads(Path(name).read_text() if name != "-" else sys.stdin.read())
        for fault in check(kind, payload):
            failed = True
            print(f"{name}: {fault}", file=sys.stderr)
    sys.exit(failed)


if __name__ == "__main__":
    main()
