"""Measures the page of a large trace by the browser's own timings. `scripts/bench-viewer` runs it."""

import statistics
import sys
import urllib.request

from chromium import PATIENCE, Browser
from records import large
from support import WIDE, Store, Viewer

RUNS = 5
STEPS = 200

# Long tasks and paints from the very beginning.
OBSERVE = """
    window.tasks = [];
    new PerformanceObserver((list) => list.getEntries().forEach((entry) => window.tasks.push([entry.startTime, entry.duration])))
        .observe({type: "longtask", buffered: true});
    window.readyAt = new Promise((resolve) => {
        new MutationObserver((_, observer) => {
            if (!document.querySelector("#trace[data-ready]")) return;
            observer.disconnect();
            requestAnimationFrame(() => requestAnimationFrame(() => resolve(performance.now())));
        }).observe(document, {subtree: true, childList: true, attributes: true, attributeFilter: ["data-ready"]});
    });
"""

SCROLL = """async (steps) => {
    const box = document.querySelector("#wf-scroll");
    window.tasks.length = 0;
    const frames = [];
    let before = performance.now();
    const whole = box.scrollHeight - box.clientHeight;
    for (let step = 1; step <= steps; step += 1) {
        box.scrollTop = (whole * step) / steps;
        const now = await new Promise(requestAnimationFrame);
        frames.push(now - before);
        before = now;
    }
    await new Promise((resolve) => setTimeout(resolve, 100));
    frames.sort((a, b) => a - b);
    return {p50: frames[steps * 0.5], p95: frames[steps * 0.95], worst: Math.max(0, ...window.tasks.map(([, took]) => took)), tasks: window.tasks.length};
}"""


def measure(viewer, trace):
    context = Browser.get().new_context(viewport=WIDE)
    try:
        page = context.new_page()
        page.set_default_timeout(4 * PATIENCE)
        page.add_init_script(OBSERVE)
        page.goto(f"{viewer.url}/trace/{trace.id}")
        ready = page.evaluate("window.readyAt")
        answered = page.evaluate("performance.getEntriesByType('navigation')[0].responseStart")
        load = page.evaluate("Math.max(0, ...window.tasks.map(([, took]) => took))")
        page.keyboard.press("*")
        scrolled = page.evaluate(SCROLL, STEPS)
        return {"answered": answered, "usable": ready, "longest task at load": load, "frame p50": scrolled["p50"], "frame p95": scrolled["p95"], "longest task while scrolling": scrolled["worst"]}
    finally:
        context.close()


def main():
    for spans in [int(argument) for argument in sys.argv[1:]] or [10_000, 100_000]:
        trace = large(spans)
        if len(trace.lines) > 100_000:
            trace.lines = [line for line in trace.lines if line["event"] != "started"]
        store = Store(trace)
        viewer = Viewer(store)
        try:
            runs = [measure(viewer, trace) for _ in range(RUNS)]
            answer = size_of_page(viewer, trace)
        finally:
            viewer.stop()
            store.remove()
        print(f"{spans:,} spans, {answer / 1e6:.2f} MB, {RUNS} runs, {STEPS} steps of scrolling; milliseconds")
        for name in runs[0]:
            values = [run[name] for run in runs]
            print(f"  {name:30} median {statistics.median(values):8.1f}  best {min(values):8.1f}  worst {max(values):8.1f}")


def size_of_page(viewer, trace):
    with urllib.request.urlopen(f"{viewer.url}/trace/{trace.id}") as answer:
        return len(answer.read())


if __name__ == "__main__":
    main()
