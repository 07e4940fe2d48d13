"""A table of the lines that `run` gathered: medians of what was measured several times."""

import json
import statistics
import sys
from collections import defaultdict

WANTED = 300_000
measured = defaultdict(lambda: defaultdict(list))
for line in open(sys.argv[1]):
    one = json.loads(line)
    for name, value in one.items():
        if name not in ("backend", "mix"):
            measured[one["mix"], one["backend"]][name].append(value)


def median(of, name, form):
    return format(statistics.median(of[name]), form) if name in of else "–"


print("| `full`: without content | records/s a core | wanted | bytes on the wire | allocations |")
print("| --- | --- | --- | --- | --- |")
for (mix, backend), of in measured.items():
    if mix == "full":
        rate = statistics.median(of["per_second"])
        wanted = "" if "Python" in backend else f"≥ {WANTED:,}" + ("" if rate >= WANTED else ": **missed**")
        print(f"| {backend} | {median(of, 'per_second', ',.0f')} | {wanted} | {median(of, 'bytes', ',.0f')} "
              f"| {median(of, 'allocations', '.2f')} |")
print()
print("| 4 KiB of content each | MB/s a core | records/s a core | bytes on the wire | allocations |")
print("| --- | --- | --- | --- | --- |")
for (mix, backend), of in measured.items():
    if mix == "content":
        print(f"| {backend} | {median(of, 'mb_per_second', ',.0f')} | {median(of, 'per_second', ',.0f')} "
              f"| {median(of, 'bytes', ',.0f')} | {median(of, 'allocations', '.2f')} |")
