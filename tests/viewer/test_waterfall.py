"""The waterfall: rows, search, zoom, links, and what stays right in very large traces."""

import re
import unittest

from records import ERROR, Trace, ingestion, large, question
from support import ViewerTest, expect, row


class Waterfall(ViewerTest):
    @classmethod
    def traces(cls):
        cls.failed = ingestion(failed=True, ago=3_000)
        cls.asked = question(ago=2_000)
        cls.deep = deep(300)
        cls.orphans = orphans()
        return [cls.failed, cls.asked, cls.deep, cls.orphans]

    def test_the_tree_is_one_for_screen_readers(self):
        page = self.open_trace(self.failed)
        tree = page.get_by_role("tree", name="Spans")
        items = tree.get_by_role("treeitem")
        expect(items).to_have_count(4)
        parsing = row(page, "file_parsing")
        for name, value in {"level": "2", "posinset": "1", "setsize": "3"}.items():
            expect(parsing).to_have_attribute(f"aria-{name}", value)
        expect(row(page, "ingestion")).to_have_attribute("aria-expanded", "true")
        expect(row(page, "chunk_embedding")).to_have_attribute("aria-label", re.compile("failed, 1.20 s, 1,280 items, \\$0.0021"))
        self.assertEqual(tree.locator("[tabindex='0']").count(), 1, "one tab stop")

    def test_rows_are_closed_and_opened_by_key_and_by_mouse(self):
        page = self.open_trace(self.failed)
        items = page.get_by_role("treeitem")
        row(page, "ingestion").focus()
        page.keyboard.press("ArrowLeft")
        expect(items).to_have_count(1)
        expect(items.first).to_contain_text("+3")
        page.keyboard.press("ArrowRight")
        expect(items).to_have_count(4)
        page.keyboard.press("ArrowRight")
        expect(row(page, "file_parsing")).to_be_focused()
        page.keyboard.press("ArrowLeft")
        expect(row(page, "ingestion")).to_be_focused()
        page.keyboard.press("-")
        expect(items).to_have_count(1)
        page.keyboard.press("*")
        expect(items).to_have_count(4)
        row(page, "ingestion").locator(".wf-twist").click()
        expect(items).to_have_count(1)
        expect(page.locator("#panel")).to_be_hidden()

    def test_search_counts_marks_and_goes_from_match_to_match(self):
        page = self.open_trace(self.failed)
        page.locator("body").press("/")
        search = page.get_by_label("Search inside the trace")
        expect(search).to_be_focused()
        page.keyboard.type("ing")
        found = page.locator("#wf-found")
        expect(found).to_have_text("4 of 4")
        page.keyboard.press("Control+A")
        # A text that only a log line has is found by the server.
        page.keyboard.type("3 pages")
        expect(found).to_have_text("1")
        page.keyboard.press("Enter")
        expect(row(page, "document_chunking")).to_be_focused()
        expect(row(page, "document_chunking")).to_have_class(re.compile("is-match"))
        search.fill("nowhere")
        expect(found).to_have_text("no match")
        search.fill("chunk")
        search.press("Enter")
        row(page, "ingestion").focus()
        page.keyboard.press("n")
        expect(row(page, "document_chunking")).to_be_focused()
        page.keyboard.press("n")
        expect(row(page, "chunk_embedding")).to_be_focused()
        page.keyboard.press("N")
        expect(row(page, "document_chunking")).to_be_focused()

    def test_a_match_in_a_closed_row_is_marked_on_it_and_opened_by_going_there(self):
        page = self.open_trace(self.failed)
        row(page, "ingestion").focus()
        page.keyboard.press("ArrowLeft")
        search = page.get_by_label("Search inside the trace")
        search.fill("parsing")
        expect(page.get_by_role("treeitem").first).to_contain_text("1 match")
        search.press("Enter")
        expect(row(page, "file_parsing")).to_be_focused()

    def test_a_deep_link_opens_its_span_and_the_back_button_closes_it(self):
        page = self.open_trace(self.failed)
        row(page, "file_parsing").click()
        panel = page.locator("#panel")
        expect(panel.get_by_role("heading", level=2)).to_contain_text("file_parsing")
        row(page, "document_chunking").click()
        expect(panel.get_by_role("heading", level=2)).to_contain_text("document_chunking")
        link = page.url
        page.go_back()
        expect(panel.get_by_role("heading", level=2)).to_contain_text("file_parsing")
        page.go_back()
        expect(panel).to_be_hidden()
        page.goto("about:blank")
        page.goto(link)
        expect(panel.get_by_role("heading", level=2)).to_contain_text("document_chunking")

    def test_the_panel_shows_documents_with_scores_and_which_were_used(self):
        page = self.open_trace(self.asked)
        row(page, "retrieval").click()
        found = page.locator("#panel [data-part=found]")
        items = found.get_by_role("listitem")
        expect(items).to_have_count(4)
        expect(items.nth(0)).to_contain_text("guide.md#0")
        expect(items.nth(0)).to_contain_text("0.910")
        expect(items.nth(1)).to_contain_text("✓ used")
        expect(items.nth(2)).not_to_contain_text("used")
        row(page, "answering").click()
        panel = page.locator("#panel")
        expect(panel.locator(".messages .message-role")).to_have_text(["system", "user"])
        expect(panel.locator("[data-part=output]")).to_contain_text("About nine days")
        expect(panel.locator("[data-part=used]").get_by_role("listitem")).to_have_count(2)

    def test_the_critical_path_is_marked_walked_and_shown_alone(self):
        page = self.open_trace(self.failed)
        row(page, "ingestion").focus()
        page.keyboard.press("c")
        focused = page.evaluate("document.activeElement.getAttribute('aria-label')")
        self.assertIn("on the critical path", focused)
        self.assertNotEqual(page.locator(".wf-critical").first.get_attribute("d"), "")
        page.get_by_role("button", name="Critical path").click()
        expect(page.get_by_role("button", name="Critical path")).to_have_attribute("aria-pressed", "true")
        for item in page.get_by_role("treeitem").all():
            self.assertIn("critical", item.get_attribute("aria-label"))

    def test_the_axis_is_zoomed_by_key_and_by_pulling_over_the_map(self):
        page = self.open_trace(self.failed)
        ticks = page.locator(".wf-tick:visible")
        whole = ticks.all_text_contents()
        row(page, "file_parsing").focus()
        page.keyboard.press("z")
        self.assertNotEqual(ticks.all_text_contents(), whole)
        expect(page.get_by_role("button", name="Whole time")).to_be_visible()
        page.keyboard.press("0")
        self.assertEqual(ticks.all_text_contents(), whole)
        box = page.locator("#wf-minimap").bounding_box()
        page.mouse.move(box["x"] + box["width"] * 0.5, box["y"] + 20)
        page.mouse.down()
        page.mouse.move(box["x"] + box["width"] * 0.75, box["y"] + 20, steps=4)
        page.mouse.up()
        start = page.get_by_role("slider", name="Start of the shown time")
        expect(start).to_have_attribute("aria-valuenow", re.compile("^(49|50|51)$"))
        start.focus()
        page.keyboard.press("Home")
        expect(start).to_have_attribute("aria-valuenow", "0")

    def test_bars_by_cost_and_the_table_of_stages(self):
        page = self.open_trace(self.asked)
        page.get_by_role("button", name="Cost", exact=True).first.click()
        self.assertTrue(any(text.startswith("$") for text in page.locator(".wf-tick:visible").all_text_contents()))
        table = page.locator("#stage-table")
        expect(table.get_by_role("row")).to_have_count(4)
        table.get_by_role("button", name="Runs").click()
        expect(table.get_by_role("columnheader", name="Runs")).to_have_attribute("aria-sort", "descending")
        table.get_by_role("button", name="retrieval").click()
        expect(page.locator("#wf-found")).to_have_text("1 of 1")

    def test_the_download_is_what_the_command_prints(self):
        page = self.open_trace(self.asked)
        with page.expect_download() as download:
            page.get_by_role("link", name="JSON").click()
        text = download.value.path().read_text(encoding="utf-8")
        self.assertEqual(text.strip(), self.store.run("trace", self.asked.id, "--format", "json").strip())

    def test_a_value_leads_to_the_traces_that_have_it(self):
        page = self.open_trace(self.asked)
        page.get_by_role("link", name="alice").first.click()
        expect(page).to_have_url(re.compile(r"/\?user=alice$"))

    def test_a_chain_of_300_levels_is_drawn_and_walked(self):
        page = self.open_trace(self.deep)
        page.keyboard.press("*")
        page.locator("#wf-tree [tabindex='0']").focus()
        page.keyboard.press("End")
        expect(page.locator(":focus")).to_have_attribute("aria-level", "300")
        expect(page.locator(":focus")).to_contain_text("level 300")

    def test_spans_without_their_parents_and_in_a_circle_are_roots(self):
        page = self.open_trace(self.orphans)
        items = page.get_by_role("treeitem")
        expect(items).to_have_count(4)
        expect(row(page, "lost_child")).to_have_attribute("aria-level", "1")
        expect(row(page, "circle_a")).to_have_attribute("aria-level", "1")
        expect(row(page, "circle_b")).to_have_attribute("aria-level", "2")

    def test_no_such_trace_and_no_id_say_so(self):
        self.expect_error("404")
        for place in ("trace/0199aaaa-bbbb-7ccc-8ddd-eeeeffff0001", "trace/nonsense", "trace/..%2f..%2fetc"):
            page = self.open(place)
            expect(page.get_by_role("heading", level=1)).to_have_text("Nothing here")


class Neighbours(ViewerTest):
    @classmethod
    def traces(cls):
        cls.first, cls.other, cls.second, cls.third = (
            ingestion(ago=900, user="alice"),
            ingestion(ago=800, user="bob"),
            ingestion(ago=700, user="alice"),
            ingestion(ago=100, user="alice"),
        )
        return [cls.first, cls.other, cls.second, cls.third]

    def test_the_filter_of_the_list_decides_which_trace_is_next(self):
        page = self.open("?user=alice")
        page.locator(f'a[data-row][href^="/trace/{self.second.id}"]').click()
        page.wait_for_selector("#trace[data-ready]")
        expect(page.locator("#trace-older")).to_have_attribute("href", re.compile(self.first.id))
        expect(page.locator("#trace-newer")).to_have_attribute("href", re.compile(self.third.id))
        page.keyboard.press("]")
        page.wait_for_url(re.compile(self.first.id))
        page.wait_for_selector("#trace[data-ready]")
        expect(page.locator("#trace-newer")).to_have_attribute("href", re.compile(self.second.id))
        expect(page.locator("#trace-older")).to_have_attribute("aria-disabled", "true")
        page.keyboard.press("[")
        page.wait_for_url(re.compile(self.second.id))
        page.get_by_role("link", name="List").click()
        expect(page).to_have_url(re.compile(r"user=alice"))


class Large(ViewerTest):
    @classmethod
    def traces(cls):
        cls.large = large(10_000)
        return [cls.large]

    def test_of_10_000_spans_few_are_elements_and_all_are_reached(self):
        page = self.open_trace(self.large)
        spans = sum(1 for line in self.large.lines if line["event"] == "started")
        self.assertLess(page.locator("#trace *").count(), 3_000)
        page.keyboard.press("*")
        page.locator("#wf-tree [tabindex='0']").focus()
        page.keyboard.press("End")
        expect(page.locator(":focus")).to_have_attribute("aria-label", re.compile("^stage_4"))
        page.keyboard.press("Home")
        expect(page.locator(":focus")).to_have_attribute("aria-setsize", "1")
        height = page.locator("#wf-tree").evaluate("(tree) => tree.getBoundingClientRect().height")
        self.assertEqual(height, spans * 28)
        for place in (0.1, 0.33, 0.5, 0.77, 1.0):
            page.locator("#wf-scroll").evaluate(f"(box) => {{ box.scrollTop = box.scrollHeight * {place}; }}")
            page.wait_for_function(SEEN_ROWS_ARE_THERE)
        self.assertLess(page.get_by_role("treeitem").count(), 90)

    def test_it_opens_three_levels_and_the_way_to_what_failed(self):
        page = self.open_trace(self.large)
        expect(page.locator("#wf-tree [tabindex='0']")).to_have_attribute("aria-label", re.compile("failed"))
        page.keyboard.press("e")
        first = page.locator(":focus")
        expect(first).to_have_attribute("aria-level", "6")
        name = first.get_attribute("id")
        page.keyboard.press("e")
        expect(page.locator(":focus")).to_have_attribute("aria-level", "6")
        self.assertNotEqual(page.locator(":focus").get_attribute("id"), name)

    def test_search_finds_one_document_among_thousands(self):
        page = self.open_trace(self.large)
        search = page.get_by_label("Search inside the trace")
        search.fill("document-1234.pdf")
        expect(page.locator("#wf-found")).to_have_text("1")
        search.press("Enter")
        expect(page.locator(":focus")).to_contain_text("document-1234.pdf")


class VeryLarge(ViewerTest):
    @classmethod
    def traces(cls):
        cls.large = large(100_000)
        # Ends alone, as at a level that leaves starts out: a trace is read up to 100,000 records.
        cls.large.lines = [line for line in cls.large.lines if line["event"] != "started"]
        cls.larger = large(60_000, user="bob")
        return [cls.large, cls.larger]

    def test_100_000_spans_are_drawn(self):
        page = self.open_trace(self.large)
        page.keyboard.press("*")
        page.locator("#wf-tree [tabindex='0']").focus()
        page.keyboard.press("End")
        expect(page.locator(":focus")).to_have_attribute("aria-label", re.compile("^stage_4"))
        page.wait_for_function(SEEN_ROWS_ARE_THERE)

    def test_more_records_than_are_read_are_said_to_be_missing(self):
        page = self.open_trace(self.larger)
        expect(page.get_by_text("more than 100,000 records")).to_be_visible()


# Every place of the scrolled part of the tree has a row.
SEEN_ROWS_ARE_THERE = """() => {
    const box = document.querySelector("#wf-scroll").getBoundingClientRect();
    const tree = document.querySelector("#wf-tree").getBoundingClientRect();
    for (let y = Math.max(box.top, 60) + 32; y < Math.min(box.bottom, tree.bottom, innerHeight) - 2; y += 14) {
        if (!document.elementFromPoint(box.left + 40, y)?.closest(".wf-row")) return false;
    }
    return true;
}"""


def deep(levels):
    trace = Trace(ago=1_000)
    above = None
    for level in range(levels):
        above = trace.span(f"level_{level}", level * 0.1, 100 - level * 0.2, above)
    return trace


def orphans():
    trace = Trace(ago=900)
    trace.span("root", 0, 50, kind="pipeline")
    trace.span("lost_child", 10, 5, "00000000deadbeef")
    a = trace.span("circle_a", 20, 10, "0000000000000004")
    trace.span("circle_b", 21, 5, a, status="failed", error=ERROR)
    return trace


if __name__ == "__main__":
    unittest.main()
