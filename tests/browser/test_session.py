"""A service that asks who you are."""

import unittest

from playwright.sync_api import expect

from support import PageTest, choose


class Session(PageTest):
    ARGUMENTS = ("--token", "open-sesame=acme/alice", "--token", "other=globex/bob")

    def sign_in(self, page, token):
        page.get_by_label("Token").fill(token)
        page.get_by_role("button", name="Sign in").click()

    def test_a_token_is_asked_for_once_and_no_script_can_read_it(self):
        self.expect_error("401")
        page = self.open()
        expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
        expect(page.get_by_label("Token")).to_be_focused()
        expect(page.locator("#view-documents")).to_be_hidden()
        self.assert_accessible(page, "sign in")
        self.sign_in(page, "a guess")
        expect(page.get_by_role("alert")).to_contain_text("401")
        expect(page.get_by_label("Token")).to_be_focused()
        self.sign_in(page, "open-sesame")
        expect(page.get_by_role("heading", name="Documents", exact=True)).to_be_focused()
        expect(page.locator("#session")).to_contain_text("alice")
        expect(page.locator("#session")).to_contain_text("acme")
        self.assertEqual(page.evaluate("document.cookie"), "")
        page.reload()
        expect(page.locator("#session")).to_contain_text("alice")
        choose(page, ("notes.txt", b"The gauge is read at six in the morning."))
        expect(page.locator(".batch h2")).to_have_text("Stored")

    def test_a_session_that_has_ended_is_asked_for_again_and_the_page_stays(self):
        self.expect_error("401")
        page = self.open()
        self.sign_in(page, "open-sesame")
        expect(page.locator("#view-documents")).to_be_visible()
        page.context.clear_cookies()
        page.get_by_role("link", name="Ask", exact=True).click()
        page.get_by_label("Question").fill("Who am I?")
        page.keyboard.press("Enter")
        expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
        self.sign_in(page, "open-sesame")
        expect(page.locator(".answer")).to_be_visible()

    def test_whoever_signs_in_after_somebody_elses_session_has_ended_sees_nothing_of_it(self):
        self.expect_error("401")
        page = self.open()
        self.sign_in(page, "open-sesame")
        choose(page, ("notes.txt", b"The gauge is read at six in the morning."))
        expect(page.locator(".batch h2")).to_have_text("Stored")
        page.context.clear_cookies()
        page.get_by_role("link", name="Ask", exact=True).click()
        page.get_by_label("Question").fill("Who am I?")
        page.keyboard.press("Enter")
        expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
        self.sign_in(page, "other")
        expect(page.locator("#session")).to_contain_text("bob")
        expect(page.locator(".batch")).to_have_count(0)
        expect(page.locator(".answer")).to_have_count(0)

    def test_signing_out_leaves_nothing_for_the_next_person(self):
        # What was asked just before may be answered just after.
        self.expect_error("401|403|404")
        page = self.open()
        self.sign_in(page, "open-sesame")
        choose(page, ("notes.txt", b"The gauge is read at six in the morning."))
        expect(page.locator(".batch h2")).to_have_text("Stored")
        trace = page.locator(".batch .trace-id a").get_attribute("href")
        page.get_by_role("button", name="Sign out").click()
        expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
        expect(page.locator(".batch")).to_have_count(0)
        self.sign_in(page, "other")
        expect(page.locator("#session")).to_contain_text("bob")
        # A link that the first person had leads the second nowhere.
        page.evaluate("(href) => { location.hash = href; }", trace)
        expect(page.get_by_role("alert")).to_be_visible()
        expect(page.locator(".wf-row[data-status]")).to_have_count(0)


if __name__ == "__main__":
    unittest.main()
