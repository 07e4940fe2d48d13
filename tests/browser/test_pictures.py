"""The two pictures of the README: documents at their ingestion, and an answer. `scripts/picture-server` copies them."""

import re
import unittest

from playwright.sync_api import expect

from support import DATA, PageTest, broken_pdf, choose, ingest_examples, picture

WINDOW = {"width": 1120, "height": 760}


class Pictures(PageTest):
    def test_documents_at_their_ingestion_and_an_answer_with_its_sources(self):
        page = self.open(viewport=WINDOW, color_scheme="light", device_scale_factor=2)
        ingest_examples(page)
        page.reload()
        expect(page.locator("#no-batches")).to_be_visible()
        choose(page, ("specification.pdf", (DATA / "specification.pdf").read_bytes()), ("inspection.pdf", broken_pdf()))
        expect(page.locator(".batch h2")).to_have_text("1 of 2 files stored")
        picture(page, "server-ingest")
        page.emulate_media(color_scheme="dark")
        page.get_by_role("link", name="Ask", exact=True).click()
        page.get_by_label("Question").fill("How long does the battery last without sun?")
        page.keyboard.press("Enter")
        answer = page.locator(".answer")
        expect(answer).to_have_attribute("data-state", "completed")
        expect(answer.locator(".fold summary")).to_have_text(re.compile(r"\d+ stages"))
        answer.get_by_role("button", name="Good answer").click()
        page.keyboard.press("Enter")
        expect(answer.locator(".feedback-state")).to_contain_text("Recorded")
        picture(page, "server-ask")


if __name__ == "__main__":
    unittest.main()
