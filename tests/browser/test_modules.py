"""Parts of the page that are tried by themselves, in the browser that runs them."""

import unittest

from support import PageTest


class Modules(PageTest):
    def test_events_are_read_however_they_are_cut(self):
        page = self.open()
        stream = "\ufeff: hello\r\n\r\nevent: a\rdata: one\rdata:two\r\r\nevent:b\ndata\n\nid: 3\ndata:  x: y\n\nevent: lost\n\ndata: cut off"
        events = page.evaluate(
            """async (stream) => {
                const { EventParser } = await import("/assets/sse.js");
                const all = [];
                for (let size = 1; size <= stream.length; size += 1) {
                    const got = [];
                    const parser = new EventParser((type, data) => got.push([type, data]));
                    for (let at = 0; at < stream.length; at += size) parser.push(stream.slice(at, at + size));
                    all.push(JSON.stringify(got));
                }
                return [...new Set(all)];
            }""",
            # `TextDecoderStream` takes the mark away.
            stream.removeprefix("\ufeff"),
        )
        self.assertEqual(events, ['[["a","one\\ntwo"],["b",""],["message"," x: y"]]'])

    def test_durations_counts_and_times_are_written_as_people_read_them(self):
        page = self.open()
        shown = page.evaluate(
            """async () => {
                const { bytes, counted, dollars, duration, stageName, timeOf } = await import("/assets/format.js");
                return [
                    ...[0, 0.0004, 0.9994, 0.9996, 9.996, 999.4, 999.6, 59_999, 60_000, 3_723_400, NaN, -1, undefined].map(duration),
                    ...[0, 999, 1_000, 1_234_567].map(bytes),
                    counted(1, "page"), counted(1234, "page"), dollars(0.000157), dollars(0), dollars(12),
                    stageName("file_parsing"), stageName("POST /api/ask"), stageName("<b>"),
                    timeOf("2026-11-22T08:20:11.123456Z") - Date.UTC(2026, 10, 22, 8, 20, 11),
                    timeOf("2026-11-22T10:20:11+02:00") - Date.UTC(2026, 10, 22, 8, 20, 11), Number.isNaN(timeOf("soon")),
                ];
            }"""
        )
        durations = ["0 µs", "0 µs", "999 µs", "1.00 ms", "10.0 ms", "999 ms", "1.00 s", "60.0 s", "1 min 00 s", "62 min 03 s", "", "", ""]
        rest = ["0 B", "999 B", "1.00 KB", "1.23 MB", "1 page", "1,234 pages", "$0.00016", "", "$12.00", "File parsing", "POST /api/ask", "<b>"]
        self.assertEqual(shown[:-3], durations + rest)
        self.assertAlmostEqual(shown[-3], 123.456, places=2)
        self.assertEqual(shown[-2:], [0, True])

    def test_a_tree_survives_orphans_circles_and_depth(self):
        page = self.open()
        rows = page.evaluate(
            """async () => {
                const { Trace } = await import("/assets/trace.js");
                const stage = (span_id, parent_span_id, second) => ({
                    span_id, parent_span_id, stage: span_id, kind: "parse", status: "completed", duration_ms: 1,
                    start: new Date(Date.UTC(2026, 0, 1, 0, 0, second)).toISOString(),
                });
                const deep = Array.from({ length: 20_000 }, (_, at) => stage(`d${at}`, at ? `d${at - 1}` : null, 50));
                const trace = Trace.stored({
                    trace_id: "1", status: "completed",
                    stages: [
                        stage("late", "root", 3), stage("early", "root", 2), stage("root", null, 1), stage("orphan", "gone", 4),
                        stage("self", "self", 5), stage("one", "two", 6), stage("two", "one", 7), ...deep,
                    ],
                });
                const all = trace.rows();
                return [all.length, all.slice(0, 5).map((row) => [row.span.id, row.depth]), Math.max(...all.map((row) => row.depth)),
                    all.filter((row) => ["one", "two"].includes(row.span.id)).length];
            }"""
        )
        self.assertEqual(rows[0], 20_007)
        self.assertEqual(rows[1], [["root", 1], ["early", 2], ["late", 2], ["orphan", 1], ["self", 1]])
        self.assertEqual(rows[2], 20_000)
        self.assertEqual(rows[3], 2)

    def test_an_end_may_come_before_its_start_and_both_twice(self):
        page = self.open()
        span = page.evaluate(
            """async () => {
                const { Trace } = await import("/assets/trace.js");
                const trace = new Trace("1");
                const start = { span_id: "a", parent_span_id: null, stage: "chunk", kind: "chunk", event: "started", timestamp: "2026-01-01T00:00:00.000Z", context: { doc: "x" } };
                const end = { ...start, event: "completed", timestamp: "2026-01-01T00:00:00.250Z", duration_ms: 250, count: 3, context: {} };
                for (const event of [end, start, end, start]) trace.stage(event);
                const [only] = trace.spans.values();
                return [trace.spans.size, only.status, only.duration, only.count, only.context.doc, only.start - Date.UTC(2026, 0, 1)];
            }"""
        )
        self.assertEqual(span, [1, "completed", 250, 3, "x", 0])

    def test_a_span_is_of_the_file_whose_number_it_says_or_else_of_its_name(self):
        page = self.open()
        places = page.evaluate(
            """async () => {
                const { Trace } = await import("/assets/trace.js");
                const { DocumentSpans } = await import("/assets/document_spans.js");
                const trace = new Trace("1");
                const spans = new DocumentSpans(trace, ["twin.txt", "twin.txt", "secret.txt", 'a"b.txt']);
                const places = {};
                const add = (span_id, parent_span_id, context) => spans.add(
                    trace.stage({ span_id, parent_span_id, stage: "s", kind: "s", event: "started", timestamp: "2026-01-01T00:00:00Z", context }),
                    (place, span) => { places[span.id] = place; },
                );
                add("root", null, {});
                // A step may come before the document that it is of.
                add("parse", "second", { doc: "twin.txt" });
                add("second", "root", { doc: "twin.txt", file: 1 });
                add("first", "root", { doc: "twin.txt", file: 0 });
                add("secret", "root", { doc: "[redacted]", file: 2 });
                add("store", "secret", {});
                add("named", "root", { doc: "a%22%0D%0Ab.txt", file: 9 });
                add("stranger", "root", { doc: "[redacted]", file: "2" });
                return places;
            }"""
        )
        self.assertEqual(places, {"parse": 1, "second": 1, "first": 0, "secret": 2, "store": 2, "named": 3})

    def test_a_trace_of_many_stages_is_drawn_in_parts(self):
        page = self.open()
        counts = page.evaluate(
            """async () => {
                const { Trace } = await import("/assets/trace.js");
                const { Waterfall } = await import("/assets/waterfall.js");
                const stages = Array.from({ length: 5_000 }, (_, at) => ({
                    span_id: `s${at}`, parent_span_id: at ? "s0" : null, stage: "chunk", kind: "chunk", status: "completed",
                    start: "2026-01-01T00:00:00Z", duration_ms: 1,
                }));
                const waterfall = new Waterfall(Trace.stored({ trace_id: "1", status: "completed", stages }), "Many");
                document.querySelector("main").append(waterfall.element);
                const drawn = () => new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)));
                const rows = () => waterfall.element.querySelectorAll(".wf-row[data-status]").length;
                while (rows() === 0) await drawn();
                const first = rows();
                const more = waterfall.element.querySelector("button.quiet");
                const words = more.textContent;
                more.click();
                await drawn();
                return [first, words, rows()];
            }"""
        )
        self.assertEqual(counts, [300, "Show 300 more of 5,000 stages", 600])


if __name__ == "__main__":
    unittest.main()
