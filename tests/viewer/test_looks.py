"""Light and dark, narrow and wide: axe-core finds nothing, nothing scrolls sideways, and pictures are kept."""

import unittest

from records import ingestion, large, question, running
from support import NARROW, WIDE, ViewerTest, expect, picture, row

PAGES = {
    "traces": "",
    "traces-failed": "?status=failed",
    "traces-none": "?user=nobody",
    "stages": "stages",
    "costs": "costs",
    "errors": "errors",
    "scores": "scores",
    "live": "live",
}


class Looks(ViewerTest):
    @classmethod
    def traces(cls):
        cls.before = ingestion(ago=7_200)
        cls.failed = ingestion(failed=True, ago=3_600)
        cls.asked = question(ago=300, user="bob")
        cls.large = large(400, ago=250)
        cls.running, _, _ = running()
        return [cls.before, cls.failed, cls.asked, cls.large]

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.store.add_live(cls.running)

    def look(self, page, name):
        picture(page, name)
        self.assert_accessible(page, name)
        self.assert_no_sideways_scrolling(page, name)

    def walk(self, scheme, width, viewport):
        name = lambda state: f"{state}-{scheme}-{width}"
        options = {"viewport": viewport, "color_scheme": scheme}
        for state, place in PAGES.items():
            with self.subTest(page=state):
                page = self.open(place, **options)
                expect(page.locator("[aria-busy=true]")).to_have_count(0)
                self.look(page, name(state))
                page.context.close()
        for state, trace in {"asked": self.asked, "failed": self.failed, "large": self.large, "running": self.running}.items():
            with self.subTest(page=state):
                page = self.open_trace(trace, **options)
                self.look(page, name(f"trace-{state}"))
                page.context.close()
        with self.subTest(page="panel"):
            page = self.open_trace(self.asked, **options)
            row(page, "retrieval").click()
            expect(page.locator("#panel [data-part=found]")).to_be_visible()
            self.look(page, name("panel-documents"))
            # On a narrow screen the panel covers the rows.
            page.keyboard.press("Escape")
            row(page, "answering").click()
            expect(page.locator(".messages")).to_be_visible()
            page.locator("#panel").get_by_text("Give a score").click()
            self.look(page, name("panel-form"))
            page.context.close()
        with self.subTest(page="panel-error"):
            page = self.open_trace(self.failed, **options)
            row(page, "chunk_embedding").click()
            expect(page.locator("#panel-body .error-section")).to_be_visible()
            self.look(page, name("panel-error"))
            page.locator("body").press("?")
            expect(page.get_by_role("dialog")).to_be_visible()
            self.look(page, name("keys"))
            page.context.close()
        with self.subTest(page="compare"):
            page = self.open(f"compare?a={self.before.id}&b={self.failed.id}", **options)
            self.look(page, name("compare"))
            page.context.close()
        with self.subTest(page="problem"):
            self.expect_error("404")
            page = self.open("trace/0199aaaa-bbbb-7ccc-8ddd-eeeeffff0001", **options)
            self.look(page, name("problem"))

    def test_light_and_wide(self):
        self.walk("light", "wide", WIDE)

    def test_light_and_narrow(self):
        self.walk("light", "narrow", NARROW)

    def test_dark_and_wide(self):
        self.walk("dark", "wide", WIDE)

    def test_dark_and_narrow(self):
        self.walk("dark", "narrow", NARROW)

    def test_the_switch_turns_the_colours_and_the_map_with_them(self):
        page = self.open_trace(self.large, color_scheme="light")
        map_colour = lambda: page.locator("#wf-map").evaluate("(map) => getComputedStyle(map).color")
        before = map_colour()
        page.get_by_role("button", name="Switch between light and dark").click()
        expect(page.locator("html")).to_have_attribute("data-theme", "dark")
        self.assertNotEqual(map_colour(), before)

    def test_at_320_pixels_and_with_large_letters_nothing_is_cut_off(self):
        page = self.open_trace(self.failed, viewport={"width": 320, "height": 640})
        page.evaluate("() => { document.documentElement.style.fontSize = '200%'; }")
        self.assert_no_sideways_scrolling(page, "320 pixels, letters of twice the size")


if __name__ == "__main__":
    unittest.main()
