"""Questions: the answer as it comes, its sources, its trace, and a thumb."""

import json
import re
import unittest

from playwright.sync_api import expect

from support import NARROW, PageTest, ingest_examples

QUESTION = "How long does the battery last without sun?"


def events(*pairs):
    return "".join(f"event: {kind}\ndata: {json.dumps(data)}\n\n" for kind, data in pairs)


class Ask(PageTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.stored = False

    def open_ask(self, **options):
        page = self.open("", **options)
        if not type(self).stored:
            ingest_examples(page)
            type(self).stored = True
        page.get_by_role("link", name="Ask", exact=True).click()
        expect(page.get_by_role("heading", name="Ask", exact=True)).to_be_focused()
        return page

    def ask(self, page, question=QUESTION):
        page.get_by_label("Question").fill(question)
        page.get_by_role("button", name="Ask", exact=True).click()
        return page.locator(".answer").first

    def answer(self, page, **response):
        """Answers in the place of the service, which then knows nothing of the question's trace."""
        self.expect_error("404")
        page.route("**/api/ask", lambda route: route.fulfill(**response))

    def test_an_answer_has_sources_a_trace_and_a_thumb_that_all_lead_to_one_another(self):
        page = self.open_ask()
        answer = self.ask(page)
        expect(answer).to_have_attribute("data-state", "completed")
        expect(answer.locator(".answer-text")).not_to_be_empty()
        sources = answer.locator(".source")
        expect(sources.first.locator(".source-title")).to_have_text(re.compile(r"\.(pdf|md|html|txt)$"))
        expect(sources.first.locator(".score")).to_have_text(re.compile(r"\d\.\d\d$"))
        # A number in the answer leads to its source.
        cited = answer.get_by_role("button", name=re.compile(r"^Source \d+$")).first
        number = int(cited.inner_text().split()[-1])
        cited.click()
        expect(sources.nth(number - 1)).to_be_focused()
        # The stages.
        for stage in ("Query embedding", "Retrieval", "Rerank", "Answer"):
            expect(answer.locator('.wf-row[data-status="completed"]', has_text=stage)).to_be_visible()
        # The thumb.
        answer.get_by_role("button", name="Good answer").click()
        comment = answer.get_by_label("Comment (optional)")
        expect(comment).to_be_focused()
        comment.fill("Just <b>right</b>")
        answer.get_by_role("button", name="Send").click()
        expect(answer.locator(".feedback-state")).to_have_text("Recorded with the trace: Good answer, with your comment.")
        expect(answer.locator(".feedback-state")).to_be_focused()
        # The trace, which another visit finds by its address alone.
        answer.get_by_role("link", name=re.compile("^Trace ")).click()
        expect(page.locator("#trace-title")).to_have_text("POST /api/ask")
        expect(page.locator("#trace-title")).to_be_focused()
        page.reload()
        expect(page.locator('.trace .wf-row[data-status="completed"]', has_text="Retrieval")).to_be_visible()
        expect(page.locator(".scores")).to_contain_text("Just <b>right</b>")
        page.get_by_role("link", name="Ask", exact=True).click()
        expect(page.locator("#view-ask")).to_be_visible()

    def test_without_its_events_an_answer_shows_the_stages_that_were_stored(self):
        self.expect_error("net::ERR_FAILED")
        page = self.open_ask()
        page.route("**/events", lambda route: route.abort())
        answer = self.ask(page)
        expect(answer).to_have_attribute("data-state", "completed")
        for stage in ("Query embedding", "Retrieval", "Rerank", "Answer"):
            expect(answer.locator('.wf-row[data-status="completed"]', has_text=stage)).to_be_visible()

    def test_a_bad_answer_needs_no_comment(self):
        page = self.open_ask()
        answer = self.ask(page)
        answer.get_by_role("button", name="Bad answer").click()
        expect(answer.get_by_role("button", name="Bad answer")).to_have_attribute("aria-pressed", "true")
        page.keyboard.press("Enter")
        expect(answer.locator(".feedback-state")).to_have_text("Recorded with the trace: Bad answer.")

    def test_the_details_of_a_stage_open_and_close(self):
        page = self.open_ask()
        answer = self.ask(page)
        row = answer.locator(".wf-row", has_text="Retrieval")
        row.get_by_role("button", name="Details").click()
        expect(answer.locator(".fields")).to_contain_text("top_k")
        row.get_by_role("button", name="Details").click()
        expect(answer.locator(".fields")).to_have_count(0)

    def test_what_the_documents_do_not_say_is_told_as_such(self):
        page = self.open_ask()
        answer = self.ask(page, "zyzzyva quokka xylograph")
        expect(answer).to_have_attribute("data-state", "empty")
        expect(answer.locator(".answer-state")).to_contain_text("The documents do not answer this.")

    def test_a_question_must_have_words_and_an_end(self):
        page = self.open_ask()
        page.get_by_role("button", name="Ask", exact=True).click()
        expect(page.locator("#question-error")).to_have_text("Write a question first.")
        question = page.get_by_label("Question")
        expect(question).to_be_focused()
        question.fill("é" * 4_001)
        expect(page.locator("#question-left")).to_have_text("1 character too many")
        page.keyboard.press("Enter")
        expect(page.locator("#question-error")).to_have_text("A question has at most 4,000 characters.")
        question.fill("é" * 3_999 + "?")
        page.keyboard.press("Shift+Enter")
        expect(page.locator(".answer")).to_have_count(0)

    def test_a_problem_says_what_to_do_and_its_trace_can_be_copied(self):
        self.expect_error("503")
        page = self.open_ask(permissions=["clipboard-read", "clipboard-write"])
        trace = "0199aaaa-bbbb-7ccc-8ddd-eeeeffff0001"
        problem = {
            "type": "about:blank", "title": "Service Unavailable", "status": 503, "trace_id": trace,
            "detail": "the store is locked; ask again in a moment", "errors": [{"detail": "<b>busy</b>"}],
        }
        self.answer(page, status=503, content_type="application/problem+json", body=json.dumps(problem))
        card = self.ask(page).get_by_role("alert")
        expect(card).to_contain_text("Service Unavailable")
        expect(card).to_contain_text("ask again in a moment")
        expect(card).to_contain_text("<b>busy</b>")
        card.get_by_role("button", name="Copy the trace id").click()
        expect(card.get_by_role("button")).to_contain_text("Copied")
        self.assertEqual(page.evaluate("navigator.clipboard.readText()"), trace)

    def test_an_answer_of_a_proxy_is_a_problem_too(self):
        self.expect_error("502")
        page = self.open_ask()
        self.answer(page, status=502, content_type="text/html", body="<h1>Bad Gateway</h1>")
        expect(self.ask(page).get_by_role("alert")).to_contain_text("502")

    def test_an_answer_that_breaks_off_keeps_what_came_and_says_so(self):
        page = self.open_ask()
        body = events(("sources", []), ("token", {"text": "The battery lasts"}))
        self.answer(page, content_type="text/event-stream", body=body)
        answer = self.ask(page)
        expect(answer.get_by_role("alert")).to_contain_text("The answer broke off")
        expect(answer.locator(".answer-text")).to_have_text("The battery lasts")

    def test_a_problem_in_the_middle_of_an_answer_is_shown(self):
        page = self.open_ask()
        body = events(("token", {"text": "It"}), ("problem", {"title": "Internal Server Error", "status": 500, "detail": "the model stopped"}))
        self.answer(page, content_type="text/event-stream", body=body)
        expect(self.ask(page).get_by_role("alert")).to_contain_text("the model stopped")

    def test_what_an_answer_holds_is_text_however_long(self):
        page = self.open_ask(viewport=NARROW)
        hostile = "<script>alert(1)</script> <img src=x onerror=alert(2)> \x1b[31mred \u202eevil [1] [99] "
        long = "x" * 1_000_000
        source = {"document": "<b>doc</b>\u202e.pdf", "document_id": "1", "page": None, "heading": "<i>h</i>", "score": 0.5, "text": long}
        body = events(
            ("sources", [source]), ("token", {"text": hostile}), ("token", {"text": long}),
            ("done", {"trace_id": "0199aaaa-bbbb-7ccc-8ddd-eeeeffff0001", "span_id": "1122334455667788", "answered": True}),
        )
        self.answer(page, content_type="text/event-stream", body=body)
        answer = self.ask(page, "<script>alert(3)</script>?")
        expect(answer).to_have_attribute("data-state", "completed")
        text = answer.locator(".answer-text").text_content()
        self.assertIn("<script>alert(1)</script> <img src=x onerror=alert(2)> \u241b[31mred", text)
        self.assertIn("[99]", text)
        self.assertGreater(len(text), 1_000_000)
        expect(answer.locator(".source-title")).to_have_text("<b>doc</b>[U+202E].pdf")
        answer.locator(".source summary").click()
        expect(answer.get_by_role("button", name="Show all 1,000,000 characters")).to_be_visible()
        self.assertEqual(page.locator("main img, main script").count(), 0)
        self.assert_no_sideways_scrolling(page, "a long answer")

    def test_an_answer_can_be_stopped(self):
        page = self.open_ask()
        # The service never hears of it, and so has no trace of it.
        self.expect_error("404")
        held = []
        page.route("**/api/ask", lambda route: held.append(route))
        answer = self.ask(page)
        stop = page.get_by_role("button", name="Stop")
        stop.click()
        expect(answer.locator(".answer-state")).to_have_text("Stopped")
        expect(page.get_by_role("button", name="Ask", exact=True)).to_be_visible()
        expect(page.get_by_label("Question")).to_be_focused()
        for route in held:
            route.abort()

    def test_feedback_that_is_refused_can_be_sent_again(self):
        self.expect_error("403")
        page = self.open_ask()
        answer = self.ask(page)
        refusal = {"title": "Forbidden", "status": 403, "detail": "the trace is another tenant's"}
        page.route("**/api/feedback", lambda route: route.fulfill(status=403, content_type="application/problem+json", body=json.dumps(refusal)), times=1)
        answer.get_by_role("button", name="Good answer").click()
        page.keyboard.press("Enter")
        expect(answer.get_by_role("alert")).to_contain_text("another tenant's")
        answer.get_by_role("button", name="Send").click()
        expect(answer.locator(".feedback-state")).to_contain_text("Recorded")
        expect(answer.get_by_role("alert")).to_have_count(0)


class Traces(PageTest):
    def test_a_trace_that_nobody_knows_is_a_problem(self):
        self.expect_error("404")
        page = self.open("#trace=0199aaaa-bbbb-7ccc-8ddd-eeeeffff0001")
        problem = page.get_by_role("alert")
        expect(problem).to_contain_text("404")

    def test_what_is_no_id_is_not_asked_for(self):
        page = self.open("#trace=<img src=x onerror=alert(1)>")
        expect(page.get_by_role("alert")).to_contain_text("32 hexadecimal digits")


if __name__ == "__main__":
    unittest.main()
