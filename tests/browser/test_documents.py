"""Documents: they are dropped or chosen, and each stage of each one is seen as it happens."""

import re
import unittest

from playwright.sync_api import expect

from support import DATA, HOLD_THE_ACCOUNT, NARROW, PageTest, broken_pdf, choose, drop

PDF = ("specification.pdf", (DATA / "specification.pdf").read_bytes())
NOTES = ("field-notes.txt", (DATA / "field-notes.txt").read_bytes())


class Documents(PageTest):
    def document(self, page, name):
        return page.locator(".document", has=page.get_by_role("heading", name=name, exact=True)).first

    def test_a_dropped_pdf_and_a_broken_file_light_up_stage_by_stage_before_the_upload_is_answered(self):
        page = self.open()
        page.evaluate(HOLD_THE_ACCOUNT)
        drop(page, PDF, ("broken.pdf", broken_pdf()))
        good, bad = self.document(page, "specification.pdf"), self.document(page, "broken.pdf")
        for stage in ("parse", "chunk", "enrich", "embed", "store"):
            step = good.locator(f".step[data-kind={stage}]")
            expect(step).to_have_attribute("data-status", "completed")
            expect(step.locator(".step-duration")).to_have_text(re.compile(r"^[\d.]+ (µs|ms|s)$"))
        expect(good.locator(".step[data-kind=parse]").locator(".step-figure")).to_have_text(re.compile(r"^\d+ pages?$"))
        expect(good.locator(".step[data-kind=store]").locator(".step-figure")).to_have_text(re.compile(r"^\d+ chunks?$"))
        expect(bad.locator(".step[data-kind=parse]")).to_have_attribute("data-status", "failed")
        expect(bad.locator(".step[data-kind=chunk]")).to_have_attribute("data-status", "skipped")
        expect(page.locator(".batch")).not_to_have_attribute("data-state", "ended")
        page.evaluate("release()")
        expect(page.locator(".batch")).to_have_attribute("data-state", "ended")
        expect(page.locator(".batch h2")).to_have_text("1 of 2 files stored")
        expect(good.locator(".document-state")).to_have_text(re.compile(r"^Stored, \d+ chunks?$"))
        expect(bad.locator(".document-state")).to_have_text("Failed")
        expect(bad.locator(".error-message")).not_to_be_empty()
        expect(page.locator("#announcements")).to_have_text("1 of 2 files stored")

    def test_one_stream_of_events_is_opened_on_the_trace_before_it_is_begun_and_closed_at_its_end(self):
        page = self.open()
        requests = []
        page.on("request", lambda request: requests.append(request))
        choose(page, NOTES)
        expect(page.locator(".batch h2")).to_have_text("Stored")
        page.get_by_role("link", name=re.compile("^Trace ")).click()
        expect(page.locator(".trace .wf-row[data-status]").first).to_be_visible()
        requests = [request for request in requests if "/api/" in request.url]
        paths = [request.url.removeprefix(self.server.url) for request in requests]
        trace = page.locator(".whole-id").inner_text()
        self.assertEqual(paths, [f"/api/traces/{trace}/events", "/api/ingest", f"/api/traces/{trace}"])
        traceparent = requests[1].headers["traceparent"]
        self.assertRegex(traceparent, rf"^00-{trace.replace('-', '')}-[0-9a-f]{{16}}-01$")

    def test_the_waterfall_has_the_runs_of_both_documents_under_the_request(self):
        page = self.open()
        choose(page, PDF, NOTES)
        expect(page.locator(".batch h2")).to_have_text("All 2 files stored")
        rows = page.get_by_role("treegrid", name="Stages of this upload").get_by_role("row")
        request = rows.filter(has_text="POST /api/ingest")
        expect(request).to_have_attribute("aria-level", "1")
        parsing = page.locator('.wf-row[data-status="completed"]', has_text=re.compile("parsing", re.I))
        expect(parsing).to_have_count(2)
        levels = {int(row.get_attribute("aria-level")) for row in parsing.all()}
        self.assertEqual(len(levels), 1, "both are as deep")
        self.assertGreaterEqual(levels.pop(), 3, "under the document, which is under the request")

    def test_two_files_of_one_name_have_stages_of_their_own(self):
        page = self.open()
        drop(page, ("report.txt", NOTES[1]), ("report.txt", b""), ("report.txt", NOTES[1]))
        expect(page.locator(".batch")).to_have_attribute("data-state", "ended")
        documents = page.locator(".document")
        expect(documents).to_have_count(3)
        states = [documents.nth(at).get_attribute("data-status") for at in range(3)]
        self.assertEqual(states, ["stored", "failed", "stored"])
        for at in (0, 2):
            expect(documents.nth(at).locator('.step[data-status="completed"]')).to_have_count(5)

    def test_many_files_are_all_told_of(self):
        page = self.open()
        drop(page, *((f"note-{at}.txt", b"Station %d lost its link at six." % at) for at in range(60)))
        expect(page.locator(".batch h2")).to_have_text("All 60 files stored")
        expect(page.locator('.step[data-status="completed"]')).to_have_count(300)
        # So many rows are drawn only for those who want to see them.
        expect(page.locator(".wf-row[data-status]")).to_have_count(0)
        page.get_by_text("Waterfall").click()
        expect(page.locator(".wf-row[data-status]")).to_have_count(300)
        page.get_by_role("button", name="more of 362 stages").click()
        expect(page.locator(".wf-row[data-status]")).to_have_count(362)

    def test_an_upload_that_waits_for_another_says_so_and_then_goes(self):
        page = self.open()
        page.evaluate(HOLD_THE_ACCOUNT)
        choose(page, PDF)
        choose(page, NOTES)
        batches = page.locator(".batch")
        expect(batches.first.locator("h2")).to_have_text("1 file waits for the upload before")
        page.evaluate("release()")
        expect(batches.first.locator("h2")).to_have_text("Stored")
        expect(batches.nth(1).locator("h2")).to_have_text("Stored")

    def test_an_upload_that_waits_is_cancelled_at_once_and_never_sent(self):
        page = self.open()
        sent = []
        page.on("request", lambda request: request.url.endswith("/api/ingest") and sent.append(request))
        page.evaluate(HOLD_THE_ACCOUNT)
        choose(page, PDF)
        choose(page, NOTES)
        waiting, first = page.locator(".batch").first, page.locator(".batch").nth(1)
        expect(waiting.locator("h2")).to_have_text("1 file waits for the upload before")
        waiting.get_by_role("button", name="Cancel").click()
        expect(waiting.locator("h2")).to_have_text("Cancelled")
        expect(waiting.locator("h2")).to_be_focused()
        expect(waiting.get_by_role("button", name="Cancel")).to_be_hidden()
        expect(waiting.locator(".document-state")).to_have_text("Cancelled")
        expect(first).not_to_have_attribute("data-state", "ended")
        page.evaluate("release()")
        expect(first.locator("h2")).to_have_text("Stored")
        # The queue goes on behind it.
        choose(page, ("more.txt", NOTES[1]))
        expect(page.locator(".batch").first.locator("h2")).to_have_text("Stored")
        expect(page.locator(".batch").nth(1).locator("h2")).to_have_text("Cancelled")
        self.assertEqual(len(sent), 2)

    def test_the_stages_of_a_file_are_found_whatever_the_service_makes_of_its_name(self):
        page = self.open()
        # One is redacted in records, one has codes that are read, one is none that a file can have.
        names = ["password=hunter2.txt", "a%0Ab%0D%22.txt", "...", "twin.txt", "twin.txt"]
        drop(page, *((name, b"%d: %s" % (at, NOTES[1])) for at, name in enumerate(names)))
        expect(page.locator(".batch h2")).to_have_text("All 5 files stored")
        for at, name in enumerate(names):
            with self.subTest(name):
                expect(page.locator(".document").nth(at).locator('.step[data-status="completed"]')).to_have_count(5)

    def test_an_upload_shows_how_far_it_is_and_can_be_cancelled(self):
        self.expect_error("net::ERR_")
        page = self.open()
        network = page.context.new_cdp_session(page)
        network.send("Network.enable")
        slow = {"offline": False, "latency": 0, "downloadThroughput": -1, "uploadThroughput": 100_000}
        network.send("Network.emulateNetworkConditions", slow)
        choose(page, ("long.txt", b"one line of a long text\n" * 100_000))
        progress = page.get_by_role("progressbar", name="Upload")
        page.wait_for_function("(bar) => bar.value > 0 && bar.value < bar.max", arg=progress.element_handle())
        page.get_by_role("button", name="Cancel").click()
        expect(page.locator(".batch h2")).to_have_text("Cancelled")
        expect(page.locator(".batch h2")).to_be_focused()
        expect(page.locator(".document-state")).to_have_text("Cancelled")

    def test_without_its_events_an_upload_shows_the_stages_that_were_stored(self):
        self.expect_error("net::ERR_FAILED")
        page = self.open()
        page.route("**/events", lambda route: route.abort())
        choose(page, PDF)
        expect(page.locator(".batch")).to_have_attribute("data-state", "ended")
        expect(page.locator('.step[data-status="completed"]')).to_have_count(5)

    def test_names_of_files_are_text_whatever_is_in_them(self):
        page = self.open(viewport=NARROW)
        names = [
            "<img src=x onerror=alert(1)>.txt",
            "<script>document.title = 'taken'<!--.txt",
            "invoice\u202efdp.txt",
            "\u05d3\u05d5\u05d7 \u0634\u0647\u0631\u064a.txt",
            "\x1b[31mred\x1b[0m.txt",
            "'\"&amp;%22;.txt",
            "w" * 240 + ".txt",
            "constructor",
            "__proto__.txt",
        ]
        drop(page, *((name, b"%d: %s" % (at, NOTES[1])) for at, name in enumerate(names)))
        expect(page.locator(".batch")).to_have_attribute("data-state", "ended")
        documents = page.locator(".document")
        expect(documents).to_have_count(len(names))
        shown = [documents.nth(at).locator("h3 bdi").inner_text() for at in range(len(names))]
        self.assertEqual(shown[0], names[0])
        self.assertEqual(shown[1], names[1])
        self.assertEqual(shown[2], "invoice[U+202E]fdp.txt")
        self.assertEqual(shown[3], names[3])
        self.assertEqual(shown[4], "\u241b[31mred\u241b[0m.txt")
        self.assertEqual(shown[5], names[5])
        self.assertEqual(shown[6], names[6])
        self.assertEqual(page.title(), "Documents · ragtrace")
        self.assertEqual(page.locator("main img, main script, main iframe").count(), 0)
        for at in range(len(names)):
            expect(documents.nth(at).locator('.step[data-status="completed"]')).to_have_count(5)
        self.assert_no_sideways_scrolling(page, "hostile names")
        self.assert_accessible(page, "hostile names")

    def test_a_drop_without_files_changes_nothing(self):
        page = self.open()
        drop(page)
        expect(page.locator(".batch")).to_have_count(0)
        expect(page.locator("#drop")).not_to_have_class(re.compile("over"))


class SmallUploads(PageTest):
    ARGUMENTS = ("--max-bytes", "20000")

    def test_an_upload_that_is_too_large_is_a_problem_with_its_trace(self):
        self.expect_error("413")
        page = self.open()
        choose(page, ("large.txt", b"a line of a large file\n" * 5_000))
        problem = page.get_by_role("alert")
        # The service reads on after it has answered, so that the answer arrives.
        expect(problem).to_contain_text("413")
        expect(problem.get_by_role("link", name=re.compile("^Trace "))).to_be_visible()
        expect(page.locator(".batch h2")).to_have_text("Nothing was stored")
        choose(page, ("small.txt", b"The gauge is read at six in the morning."))
        expect(page.locator(".batch h2").first).to_have_text("Stored")


class Gone(PageTest):
    def test_a_service_that_is_gone_is_said_to_be(self):
        self.expect_error("net::ERR_")
        page = self.open()
        self.server.stop()
        choose(page, NOTES)
        expect(page.get_by_role("alert")).to_contain_text("The upload broke off")
        page.get_by_role("link", name="Ask", exact=True).click()
        page.get_by_label("Question").fill("Is anybody there?")
        page.keyboard.press("Enter")
        expect(page.locator(".answer").get_by_role("alert")).to_contain_text("No connection")


if __name__ == "__main__":
    unittest.main()
