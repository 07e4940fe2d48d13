"""Light and dark, narrow and wide: axe-core finds nothing, nothing scrolls sideways, and pictures are kept."""

import unittest

from playwright.sync_api import expect

from support import DATA, HOLD_THE_ACCOUNT, NARROW, WIDE, PageTest, broken_pdf, choose, picture


class Looks(PageTest):
    def look(self, page, name):
        self.assert_accessible(page, name)
        self.assert_no_sideways_scrolling(page, name)
        picture(page, name)

    def walk(self, scheme, width, viewport):
        page = self.open(viewport=viewport, color_scheme=scheme)
        name = lambda state: f"{state}-{scheme}-{width}"
        self.look(page, name("empty"))
        files = [(file, (DATA / file).read_bytes()) for file in ("guide.md", "specification.pdf")]
        choose(page, files[0], ("broken.pdf", broken_pdf()), files[1])
        expect(page.locator(".batch h2")).to_have_text("2 of 3 files stored")
        self.look(page, name("documents"))
        page.locator(".wf-row:not(.wf-head)").first.focus()
        page.keyboard.press("Enter")
        expect(page.locator(".fields")).to_be_visible()
        self.look(page, name("details"))
        page.get_by_role("link", name="Ask", exact=True).click()
        page.get_by_label("Question").fill("How long does the battery last without sun?")
        page.keyboard.press("Enter")
        expect(page.locator(".answer")).to_have_attribute("data-state", "completed")
        page.get_by_role("button", name="Good answer").click()
        page.locator(".source summary").first.click()
        self.look(page, name("ask"))
        page.keyboard.press("Tab")
        page.locator(".comment input").press("Enter")
        expect(page.locator(".feedback-state")).to_contain_text("Recorded")
        page.locator(".answer .trace-id a").click()
        expect(page.locator(".trace .wf-row[data-status]").first).to_be_visible()
        self.look(page, name("trace"))
        self.expect_error("404")
        page.evaluate("() => { location.hash = '#trace=0199aaaa-bbbb-7ccc-8ddd-eeeeffff0001'; }")
        expect(page.get_by_role("alert")).to_be_visible()
        self.look(page, name("problem"))

    def test_light_and_wide(self):
        self.walk("light", "wide", WIDE)

    def test_light_and_narrow(self):
        self.walk("light", "narrow", NARROW)

    def test_dark_and_wide(self):
        self.walk("dark", "wide", WIDE)

    def test_dark_and_narrow(self):
        self.walk("dark", "narrow", NARROW)

    def moving(self, motion):
        """Returns how many animations there are while an upload is being worked on."""
        page = self.open(reduced_motion=motion)
        page.evaluate(HOLD_THE_ACCOUNT)
        choose(page, ("guide.md", (DATA / "guide.md").read_bytes()))
        expect(page.locator(".batch")).to_have_attribute("data-light", "running")
        moving = page.evaluate("document.getAnimations().length")
        expect(page.locator(".batch h2")).to_have_text("Ingesting 1 file")
        page.evaluate("release()")
        expect(page.locator(".batch h2")).to_have_text("Stored")
        return moving

    def test_what_is_worked_on_moves_but_not_for_those_who_asked_for_that(self):
        self.assertGreater(self.moving("no-preference"), 0)
        self.assertEqual(self.moving("reduce"), 0)

    def test_at_320_pixels_and_with_large_letters_nothing_is_cut_off(self):
        page = self.open(viewport={"width": 320, "height": 640})
        page.evaluate("() => { document.documentElement.style.fontSize = '200%'; }")
        choose(page, ("guide.md", (DATA / "guide.md").read_bytes()))
        expect(page.locator(".batch h2")).to_have_text("Stored")
        self.assert_no_sideways_scrolling(page, "320 pixels, letters of twice the size")


if __name__ == "__main__":
    unittest.main()
