"""Hostile text in every field does nothing, hides nothing, and leaves every page usable."""

import unittest
import urllib.parse

from records import HOSTILE, hostile, ingestion, running
from support import NARROW, ViewerTest, expect, picture

PLACES = ("", "stages", "costs", "errors", "scores", "live", f"?user={urllib.parse.quote(HOSTILE)}", f"?field={urllib.parse.quote(HOSTILE)}=1")


class Hostile(ViewerTest):
    @classmethod
    def traces(cls):
        cls.trace = hostile(ago=500)
        cls.again = hostile(ago=400)
        cls.plain = ingestion(ago=300)
        cls.running, _, _ = running(user=HOSTILE)
        return [cls.trace, cls.again, cls.plain, cls.running]

    def assert_inert(self, page, state):
        self.assertNotEqual(page.title(), "taken", f"{state}: a script ran")
        self.assertEqual(page.locator("img").count(), 0, f"{state}: an element was made")
        inline = page.locator("script:not([src]):not([type='application/json'])").count()
        self.assertEqual(inline, 0, f"{state}: a script was made")
        shown = page.locator("body").inner_text()
        for hidden in ("\u202e", "\u200b", "\u0007", "\x1b"):
            self.assertNotIn(hidden, shown, f"{state}: a character that hides or reorders others is there as it is")

    def test_every_page_is_inert_and_usable(self):
        for place in PLACES:
            with self.subTest(place=place):
                page = self.open(place)
                expect(page.locator("[aria-busy=true]")).to_have_count(0)
                self.assert_inert(page, place)
                self.assert_no_sideways_scrolling(page, place)
                self.assertEqual(page.get_by_role("navigation", name="Pages").count(), 1)

    def test_a_trace_and_all_its_panels_are_inert_and_usable(self):
        for viewport in (None, NARROW):
            page = self.open_trace(self.trace, **({"viewport": viewport} if viewport else {}))
            self.assert_inert(page, "trace")
            rows = page.get_by_role("treeitem")
            expect(rows).to_have_count(3)
            for nth in range(3):
                rows.nth(nth).focus()
                page.keyboard.press("Enter")
                expect(page.locator("#panel-body h2")).to_be_visible()
                expect(page.locator("#panel-body[aria-busy]")).to_have_count(0)
                self.assert_inert(page, f"panel {nth}")
            self.assert_no_sideways_scrolling(page, "panel")
            rows.nth(0).focus()
            page.keyboard.press("Enter")
            long = page.locator("#panel-body .folded summary").first
            long.click()
            self.assert_no_sideways_scrolling(page, "unfolded")
            self.assert_inert(page, "unfolded")
            picture(page, f"hostile-{'narrow' if viewport else 'wide'}", whole=False)
            page.get_by_label("Search inside the trace").fill("<script>")
            expect(page.locator("#wf-found")).to_contain_text("3")
            self.assert_inert(page, "search")

    def test_a_comparison_is_inert(self):
        page = self.open(f"compare?a={self.trace.id}&b={self.again.id}")
        self.assert_inert(page, "compare")
        self.assert_no_sideways_scrolling(page, "compare")

    def test_an_address_cannot_bring_markup_in(self):
        self.expect_error("40[04]")
        quoted = urllib.parse.quote(HOSTILE, safe="")
        for place in (f"trace/{quoted}", f"compare?a={quoted}&b={quoted}", f"trace/{self.plain.id}?from={quoted}", f"trace/{self.plain.id}#span={quoted}", f"no/such/{quoted}"):
            with self.subTest(place=place):
                self.assert_inert(self.open(place), place)

    def test_a_hostile_score_stays_text(self):
        page = self.open_trace(self.plain)
        form = page.locator(".trace-main").get_by_role("region", name="Scores")
        form.get_by_text("Give a score").click()
        form.get_by_label("Name").fill("<b>name</b>")
        form.get_by_label("Type").select_option("label")
        form.get_by_role("textbox", name="Value").fill("<i>value</i>")
        form.get_by_label("Comment (optional)").fill("<script>document.title='taken'</script>")
        form.get_by_role("button", name="Give score").click()
        expect(form).to_contain_text("The score is stored.")
        expect(form).to_contain_text("<b>name</b> <i>value</i>")
        page.reload()
        expect(form).to_contain_text("<b>name</b> <i>value</i>")
        self.assert_inert(page, "score")


if __name__ == "__main__":
    unittest.main()
