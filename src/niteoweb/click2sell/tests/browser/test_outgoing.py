"""The page of outgoing hooks, and their line on the overview."""

from niteoweb.click2sell.hooks import batches
from niteoweb.click2sell.hooks import events
from niteoweb.click2sell.hooks import outbox
from niteoweb.click2sell.hooks import receivers
from niteoweb.click2sell.storage import trees
from niteoweb.click2sell.storage import writer
from niteoweb.click2sell.tests.cases.pages import PageTestCase
from niteoweb.click2sell.tests.cases.receiver import SECRET
from urllib.parse import urlencode

import re
import transaction


URL = "https://hooks.example.org/catch/s3cr3t?x=1"


class OutgoingTestCase(PageTestCase):
    def setUp(self):
        super().setUp()
        self.url = f"{self.portal.absolute_url()}/@@click2sell-hooks"

    def stored(self):
        transaction.begin()
        return receivers.every(self.portal)

    def add(self, url=URL, secret="", **checks):
        browser = self.opened()
        browser.getControl(name="address").value = url
        browser.getControl(name="secret").value = secret
        for event, on in checks.items():
            name = f"wants-{event.replace('__', '.')}"
            browser.getControl(name=name).value = ["1"] if on else []
        browser.getControl("Add the receiver").click()
        return browser

    def press(self, label):
        browser = self.opened()
        browser.getControl(label).click()
        return self.text(browser)


class TestPage(OutgoingTestCase):
    def test_a_secret_is_made_and_shown_once(self):
        browser = self.add()
        (receiver,) = self.stored()
        self.assertEqual((receiver["url"], receiver["events"]), (URL, events.CHOICES))
        self.assertIn(receiver["secret"], browser.contents)
        self.assertEqual(browser.headers["Cache-Control"], "no-store")
        self.assertNotIn(receiver["secret"], self.opened().contents)

    def test_a_secret_that_was_typed_is_never_shown(self):
        browser = self.add(secret=f" {SECRET} ", access__ended=False)
        self.assertIn("The receiver was added.", self.text(browser))
        self.assertNotIn(SECRET[6:], browser.contents)
        (receiver,) = self.stored()
        self.assertEqual(receiver["secret"], SECRET)
        self.assertEqual(
            receiver["events"], tuple(e for e in events.CHOICES if e != events.ENDED)
        )

    def test_mistakes(self):
        for url, secret, words in (
            ("http://hooks.example.org/", "", "begins with https"),
            (URL, "whsec_short", "24 to 64 bytes"),
        ):
            with self.subTest(words):
                browser = self.add(url, secret)
                self.assertIn(words, self.text(browser))
                self.assertEqual(browser.getControl(name="address").value, url)
                self.assertNotIn("whsec_short", browser.contents)
        checks = {event.replace(".", "__"): False for event in events.CHOICES}
        self.assertIn("Choose the events", self.text(self.add(**checks)))
        self.assertEqual(self.stored(), [])

    def test_ten_are_enough(self):
        for number in range(receivers.MOST):
            writer.run(
                lambda site, n=number: receivers.add(
                    site, f"{URL}{n}", SECRET, (events.ENDED,), self.now
                )["id"]
            )
        self.assertNotIn("Add the receiver", self.opened().contents)

    def test_buttons(self):
        self.add(secret=SECRET)
        self.assertIn("The test event is on its way.", self.press("Send a test event"))
        (receiver,) = self.stored()
        self.assertEqual(outbox.waiting(self.portal, receiver["id"]), 1)
        batch = writer.run(lambda site: batches.take(site, receiver["id"], self.now))
        away = batches.Answer("", batches.AWAY, "503")
        writer.run(lambda site: batches.note(site, batch, [away], self.now))
        text = self.text(self.opened())
        self.assertIn("It answered with the status 503.", text)
        self.assertIn("The events are sent again.", self.press("Try again now"))
        self.assertEqual(self.stored()[0]["next_at"], "")
        for what, words in ((batches.AWAY, "does not answer"), (batches.GONE, "switched off")):
            batch = writer.run(lambda site: batches.take(site, receiver["id"], self.now))
            answers = [batches.Answer("", what)]
            writer.run(lambda site, b=batch, a=answers: batches.note(site, b, a, self.now))
            self.assertIn(words, self.text(self.opened()))
            self.press("Try again now")
        self.assertIn("The receiver was removed.", self.press("Remove with all that waits"))
        self.assertEqual(self.stored(), [])
        self.assertEqual(list(trees.tree(self.portal, "hook_events")), [])

    def test_a_receiver_that_is_gone_meanwhile(self):
        self.add(secret=SECRET)
        browser = self.opened()
        (receiver,) = self.stored()
        writer.run(lambda site: outbox.remove(site, receivers.find(site, receiver["id"])))
        browser.getControl("Send a test event").click()
        self.assertIn("Nothing was changed", self.text(browser))

    def test_a_post_without_the_token_changes_nothing(self):
        browser = self.browser()
        browser.open(
            self.url, urlencode({"add": "1", "address": URL, "wants-access.ended": "1"})
        )
        self.assertEqual(self.stored(), [])


class TestOverview(OutgoingTestCase):
    def setUp(self):
        super().setUp()
        self.add(secret=SECRET)
        self.url = f"{self.portal.absolute_url()}/@@click2sell-overview"

    def note(self, what):
        (receiver,) = self.stored()
        self.now += outbox.GIVE_UP
        batch = writer.run(lambda site: batches.take(site, receiver["id"], self.now))
        answer = batches.Answer(batch.letters[0].id, what, "400")
        writer.run(lambda site: batches.note(site, batch, [answer], self.now))

    def test_what_waits_fails_and_is_sent_again(self):
        self.assertIn("Every event was taken.", self.text(self.opened()))
        self.buy()
        text = self.text(self.opened())
        self.assertIn("hooks.example.org", text)
        self.assertIn("Events waiting: 2, given up: 0", text)
        for _time in range(2):
            self.note(batches.REFUSED)
        self.assertIn("Events waiting: 1, given up: 1", self.text(self.opened()))
        browser = self.opened()
        self.assertNotIn("s3cr3t", browser.contents)
        browser.getControl("Send them again now").click()
        self.assertIn("The events are sent again.", self.text(browser))
        self.assertIn("Events waiting: 2, given up: 0", self.text(browser))

    def test_switched_off(self):
        self.buy()
        self.note(batches.GONE)
        browser = self.opened()
        self.assertIn("Switched off", self.text(browser))
        self.assertNotIn("Send them again now", browser.contents)
        token = re.search(r'name="_authenticator"\s+value="(\w+)"', browser.contents)
        (receiver,) = self.stored()
        values = {"_authenticator": token[1], "hooks": receiver["id"]}
        browser.open(self.url, urlencode(values))
        self.assertTrue(self.stored()[0]["switched_off_at"])
