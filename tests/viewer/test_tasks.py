"""What people come for, by keyboard alone."""

import re
import unittest

from records import ingestion, question, running
from support import Store, ViewerTest, expect, row

# The path from tab stop to tab stop must not be longer than this.
STOPS = 60


class Tasks(ViewerTest):
    @classmethod
    def traces(cls):
        cls.before = ingestion(ago=7_200, user="alice")
        cls.failed = ingestion(failed=True, ago=3_600, user="alice")
        cls.asked = question(ago=300, user="bob")
        cls.slow = ingestion(slower=3, ago=200, user="carol")
        return [cls.before, cls.failed, cls.asked, cls.slow]

    def tab_to(self, page, locator):
        """Presses Tab until the focus is there; on the way it is always to be seen where it is."""
        for _ in range(STOPS):
            if locator.evaluate("(element) => element === document.activeElement"):
                return
            page.keyboard.press("Tab")
            seen = page.evaluate(
                "() => document.activeElement === document.body || getComputedStyle(document.activeElement).outlineStyle !== 'none' || document.activeElement.matches('.skip')"
            )
            self.assertTrue(seen, f"the focus is not seen: {page.evaluate('document.activeElement.outerHTML')[:200]}")
        self.fail(f"not reached within {STOPS} stops")

    def test_a_failed_trace_is_found_by_filter_and_opened_and_its_error_chain_is_read(self):
        page = self.open()
        keyboard = page.keyboard
        self.tab_to(page, page.get_by_label("Status"))
        keyboard.type("failed")
        self.tab_to(page, page.get_by_label("User"))
        keyboard.type("alice")
        keyboard.press("Enter")
        link = page.locator("a[data-row]")
        expect(link).to_have_count(1)
        expect(page).to_have_url(re.compile("status=failed"))
        page.wait_for_load_state("load")
        # One press from the top of the page to the first row.
        keyboard.press("j")
        expect(link).to_be_focused()
        keyboard.press("Enter")
        page.wait_for_selector("#trace[data-ready]")
        expect(page.get_by_role("heading", level=1)).to_contain_text("ingestion")
        error = page.get_by_role("region", name="Errors")
        expect(error).to_contain_text("the model is overloaded")
        expect(error.get_by_role("list", name="Caused by").get_by_role("listitem")).to_have_text(["POST https://models.example/embed", "503 Service Unavailable"])
        # `e` goes to the span that failed, Enter opens it, and everything about it is there.
        keyboard.press("e")
        expect(row(page, "chunk_embedding")).to_be_focused()
        keyboard.press("Enter")
        panel = page.locator("#panel")
        expect(panel.get_by_role("heading", level=2)).to_contain_text("chunk_embedding")
        expect(panel.get_by_role("list", name="Caused by")).to_contain_text("503 Service Unavailable")
        expect(panel.locator("[data-part=logs]").get_by_role("listitem")).to_have_count(2)
        expect(panel.locator(".log-text").nth(0)).to_contain_text("attempt 1 of 3 failed")
        self.assertRegex(page.url, r"#span=[0-9a-f]{16}$")
        keyboard.press("Escape")
        expect(panel).to_be_hidden()
        expect(row(page, "chunk_embedding")).to_be_focused()

    def test_a_live_ingestion_is_followed_to_its_end(self):
        trace, root, embedding = running(user="dora")
        self.store.add_live(trace)
        page = self.open_trace(trace)
        keyboard = page.keyboard
        expect(page.locator("#still-running")).to_be_visible()
        expect(row(page, "chunk_embedding")).to_have_attribute("aria-label", re.compile("still running"))
        self.tab_to(page, page.locator("#wf-tree [role=treeitem][tabindex='0']"))
        keyboard.press("End")
        expect(row(page, "chunk_embedding")).to_be_focused()
        # What comes while the page is open appears in it, and the focus stays.
        trace.lines.clear()
        trace.span("vector_storage", 900, None, root, "store")
        self.store.add_live(trace)
        expect(row(page, "vector_storage")).to_be_visible()
        expect(row(page, "chunk_embedding")).to_be_focused()
        trace.lines.clear()
        trace.end("chunk_embedding", 220, 650, root, "embed", embedding, metrics={"count": 99})
        trace.end("ingestion", 0, 1_500, None, "pipeline", root)
        self.store.add_live(trace)
        expect(row(page, "chunk_embedding")).to_have_attribute("aria-label", re.compile("^chunk_embedding, 650 ms, 99 items"))
        expect(page.locator("#has-ended")).to_contain_text("completed")
        expect(page.locator("#still-running")).to_be_hidden()

    def test_a_trace_is_compared_with_the_run_before_it(self):
        page = self.open_trace(self.slow)
        keyboard = page.keyboard
        link = page.get_by_role("link", name="Compare with the run before")
        expect(link).to_have_attribute("href", re.compile(f"/compare.a=.*&b={self.slow.id}"))
        self.tab_to(page, link)
        keyboard.press("Enter")
        expect(page.get_by_role("heading", name="Compare", level=1)).to_be_visible()
        table = page.locator("#compare-table")
        embedding = table.get_by_role("row", name=re.compile("chunk_embedding"))
        expect(embedding).to_have_attribute("data-change", "changed")
        expect(embedding).to_contain_text("+2.40 s")
        parsing = table.get_by_role("row", name=re.compile("file_parsing"))
        expect(parsing).to_have_attribute("data-change", "same")
        keyboard.press("d")
        expect(parsing).to_be_hidden()
        expect(table.get_by_role("row", name=re.compile("ingestion"))).to_be_visible()
        keyboard.press("e")
        self.assertTrue(page.evaluate("document.activeElement.closest('#compare-table') !== null"))

    def test_a_score_is_given_to_a_span_and_to_the_trace(self):
        page = self.open_trace(self.asked)
        keyboard = page.keyboard
        self.tab_to(page, page.locator("#wf-tree [role=treeitem][tabindex='0']"))
        keyboard.press("End")
        expect(row(page, "answering")).to_be_focused()
        keyboard.press("Enter")
        panel = page.locator("#panel")
        expect(panel).to_contain_text("faithfulness 0.83")
        self.tab_to(page, panel.get_by_text("Give a score"))
        keyboard.press("Enter")
        self.tab_to(page, panel.get_by_label("Name"))
        keyboard.type("grounded")
        keyboard.press("Tab")
        keyboard.type("Number")
        self.tab_to(page, panel.get_by_role("spinbutton", name="Value"))
        keyboard.type("0.5")
        self.tab_to(page, panel.get_by_label("Comment (optional)"))
        keyboard.type("one claim of two")
        keyboard.press("Enter")
        expect(panel.locator("[data-part=scores]")).to_contain_text("grounded 0.5")
        expect(panel.locator("[data-part=scores]")).to_contain_text("one claim of two")
        page.reload()
        page.wait_for_selector("#trace[data-ready]")
        expect(row(page, "answering")).to_have_attribute("aria-label", re.compile("grounded 0.5"))

        form = page.locator(".trace-main").get_by_role("region", name="Scores")
        self.tab_to(page, form.get_by_text("Give a score"))
        keyboard.press("Enter")
        self.tab_to(page, form.get_by_label("Name"))
        keyboard.type("kept")
        self.tab_to(page, form.locator("button[type=submit]"))
        keyboard.press("Enter")
        expect(form).to_contain_text("kept yes")
        self.assertIn('"kept"', self.store.run("trace", self.asked.id, "--format", "json"))


class ReadOnly(ViewerTest):
    ARGUMENTS = ()

    @classmethod
    def traces(cls):
        cls.asked = question()
        return [cls.asked]

    def test_no_form_is_offered_where_nothing_may_be_written(self):
        page = self.open_trace(self.asked)
        page.keyboard.press("End")
        page.keyboard.press("e")
        row(page, "answering").click()
        expect(page.locator("#panel")).to_contain_text("faithfulness")
        expect(page.get_by_text("Give a score")).to_have_count(0)


if __name__ == "__main__":
    unittest.main()
