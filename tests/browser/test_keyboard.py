"""The whole way by keyboard alone."""

import re
import unittest

from playwright.sync_api import expect

from support import DATA, PageTest

# The path from tab stop to tab stop must not be longer than this.
STOPS = 40


class Keyboard(PageTest):
    def tab_to(self, page, locator):
        """Presses Tab until the focus is there; on the way it is always to be seen where it is."""
        for _ in range(STOPS):
            if locator.evaluate("(element) => element === document.activeElement"):
                return
            page.keyboard.press("Tab")
            seen = page.evaluate(
                """() => {
                    const at = document.activeElement;
                    const shown = at.matches("#files") ? at.nextElementSibling : at;
                    return at === document.body || getComputedStyle(shown).outlineStyle !== "none" || at.matches(".skip");
                }"""
            )
            self.assertTrue(seen, f"the focus is not seen: {page.evaluate('document.activeElement.outerHTML').splitlines()[0][:200]}")
        self.fail(f"not reached within {STOPS} stops")

    def test_files_are_chosen_stages_read_a_question_asked_its_trace_followed_and_a_thumb_given(self):
        page = self.open()
        # Who listens from now on has the browser ask the test, and open no dialog of its own, long before the key is pressed.
        page.on("filechooser", lambda _: None)
        keyboard = page.keyboard
        # The first stop leads past the bar.
        keyboard.press("Tab")
        expect(page.get_by_role("link", name="Skip to content")).to_be_focused()
        keyboard.press("Enter")
        expect(page.locator("main")).to_be_focused()
        self.tab_to(page, page.locator("#files"))
        with page.expect_file_chooser() as chooser:
            keyboard.press("Enter")
        chooser.value.set_files(sorted(DATA.iterdir()))
        expect(page.locator(".batch h2")).to_have_text("All 4 files stored")

        grid = page.get_by_role("treegrid", name="Stages of this upload")
        rows = grid.locator(".wf-row:not(.wf-head)")
        self.tab_to(page, rows.first)
        keyboard.press("ArrowDown")
        expect(rows.nth(1)).to_be_focused()
        before = rows.count()
        keyboard.press("ArrowLeft")
        expect(rows.nth(1)).to_have_attribute("aria-expanded", "false")
        self.assertLess(rows.count(), before)
        keyboard.press("ArrowRight")
        expect(rows.nth(1)).to_have_attribute("aria-expanded", "true")
        keyboard.press("ArrowRight")
        expect(rows.nth(2)).to_be_focused()
        keyboard.press("Enter")
        expect(grid.locator(".fields")).to_be_visible()
        expect(rows.nth(2)).to_be_focused()
        keyboard.press("Enter")
        expect(grid.locator(".fields")).to_have_count(0)
        # Left closes what is open, and leads up from what is closed.
        keyboard.press("ArrowLeft")
        expect(rows.nth(2)).to_have_attribute("aria-expanded", "false")
        keyboard.press("ArrowLeft")
        expect(rows.nth(1)).to_be_focused()
        keyboard.press("End")
        expect(rows.last).to_be_focused()
        keyboard.press("Home")
        expect(rows.first).to_be_focused()

        # Back to the top, and to the other view.
        for _ in range(STOPS):
            if page.evaluate("document.activeElement.getAttribute('href')") == "#ask":
                break
            keyboard.press("Shift+Tab")
        keyboard.press("Enter")
        expect(page.get_by_role("heading", name="Ask", exact=True)).to_be_focused()
        self.tab_to(page, page.get_by_label("Question"))
        keyboard.type("How often is the battery changed?")
        keyboard.press("Enter")
        answer = page.locator(".answer")
        expect(answer).to_have_attribute("data-state", re.compile("completed|empty"))
        expect(page.get_by_label("Question")).to_be_focused()
        self.tab_to(page, answer.get_by_role("button", name="Bad answer"))
        keyboard.press("Space")
        expect(answer.get_by_label("Comment (optional)")).to_be_focused()
        keyboard.type("too short")
        keyboard.press("Enter")
        expect(answer.locator(".feedback-state")).to_contain_text("Recorded with the trace")
        trace = answer.get_by_role("link", name=re.compile("^Trace "))
        for _ in range(STOPS):
            if trace.evaluate("(element) => element === document.activeElement"):
                break
            keyboard.press("Shift+Tab")
        keyboard.press("Enter")
        expect(page.locator("#trace-title")).to_have_text("POST /api/ask")
        expect(page.locator("#trace-title")).to_be_focused()
        expect(page.locator(".scores")).to_contain_text("too short")

    def test_an_address_that_names_no_view_shows_the_documents(self):
        page = self.open("#main")
        expect(page.get_by_role("heading", name="Documents", exact=True)).to_be_visible()

    def test_the_skip_link_keeps_the_view_also_over_a_reload(self):
        page = self.open("#ask")
        page.keyboard.press("Tab")
        expect(page.get_by_role("link", name="Skip to content")).to_be_focused()
        page.keyboard.press("Enter")
        expect(page.locator("main")).to_be_focused()
        page.reload()
        expect(page.get_by_role("heading", name="Ask", exact=True)).to_be_visible()

    def test_the_names_and_states_are_in_the_accessibility_tree(self):
        page = self.open()
        page.set_input_files("#files", DATA / "field-notes.txt")
        expect(page.locator(".batch h2")).to_have_text("Stored")
        tree = page.locator("body").aria_snapshot()
        for part in ("banner", 'navigation "Views"', "main", 'heading "Documents" [level=1]', "listitem: \"Parse : completed", "listitem: \"Store : completed", 'treegrid "Stages of this upload"'):
            self.assertIn(part, tree)
        self.assertRegex(tree, r"row .*completed.* \[level=\d\]|row .*completed")


if __name__ == "__main__":
    unittest.main()
