"""The documentation is complete: what the code can say or be told is explained there."""

from contextlib import redirect_stdout
from io import StringIO
from niteoweb.click2sell import ledger
from niteoweb.click2sell import notify
from niteoweb.click2sell import reason
from niteoweb.click2sell import settings as rules
from niteoweb.click2sell import store
from niteoweb.click2sell.browser import callback
from niteoweb.click2sell.interfaces import IClick2SellSettings
from niteoweb.click2sell.interfaces import IRemoveSecretKey
from niteoweb.click2sell.tests.test_docs import pages
from niteoweb.click2sell.tests.test_docs import with_docs

import re
import unittest


@with_docs
class TestCompleteness(unittest.TestCase):
    def assert_explained(self, page: str, words) -> None:
        text = " ".join(pages()[page].split())
        for word in words:
            with self.subTest(word):
                self.assertTrue(word in text, f"{page} does not explain it")

    def test_settings(self):
        titles = [
            str(schema[name].title)
            for schema in (IClick2SellSettings, IRemoveSecretKey)
            for name in schema
        ]
        self.assert_explained("configuration.rst", titles)
        self.assert_explained(
            "configuration.rst", [f"``{name}``" for name in IClick2SellSettings]
        )

    def test_defaults(self):
        text = pages()["configuration.rst"]
        for name in ("buyers_group", "grace_days", "welcome_subject", "breaker_members"):
            with self.subTest(name):
                default = str(IClick2SellSettings[name].default)
                rows = text[text.index(f"``{name}``") :]
                self.assertIn(default, rows[: rows.find("\n\n")])

    def test_placeholders(self):
        self.assert_explained(
            "configuration.rst", [f"``${name}``" for name in rules.TEXT_PLACEHOLDERS]
        )

    def test_answers(self):
        answers = [
            *(callback.PARSED, callback.NO_POST, callback.TOO_LARGE, callback.REFUSED),
            *(callback.REFUSED_MANY, callback.BUSY, callback.FAILED),
        ]
        self.assert_explained("notifications.rst", [f"``{answer}``" for answer in answers])

    def test_outcomes(self):
        outcomes = {*ledger.FINAL, ledger.RECEIVED, ledger.FAILED}
        self.assert_explained("notifications.rst", [f"*{outcome}*" for outcome in outcomes])

    def test_reasons(self):
        codes = set(reason.REASONS)
        self.assert_explained("notifications.rst", [f"``{code}``" for code in codes])

    def test_command(self):
        with redirect_stdout(StringIO()) as printed, self.assertRaises(SystemExit):
            notify.main(["--help"])
        options = set(re.findall(r"(?<![\w-])--[a-z-]+", printed.getvalue())) - {"--help"}
        self.assertIn("--secret-key-file", options)
        self.assert_explained("command.rst", [f"``{option}" for option in options])
        self.assert_explained("command.rst", [f"``{kind}``" for kind in notify.KINDS])

    def test_limits(self):
        self.assertEqual(ledger.ENTRIES_PER_TRANSACTION, 100)
        self.assertEqual(callback.LARGEST_BODY, 64 * 1024)
        self.assert_explained("security.rst", ["100 notifications", "24 hours"])
        self.assert_explained("notifications.rst", ["64 KiB"])

    def test_what_is_kept(self):
        self.assert_explained("security.rst", [f"``{store.KEY}``"])
