"""Import members from a file: looked at, carried out, and gone on with."""

from datetime import timedelta
from datetime import timezone
from niteoweb.click2sell import timestamps
from niteoweb.click2sell.browser.desk import importing as page
from niteoweb.click2sell.command import importing as command
from niteoweb.click2sell.ledger import ledger
from niteoweb.click2sell.mail import outbox
from niteoweb.click2sell.owner import action
from niteoweb.click2sell.owner import grants
from niteoweb.click2sell.owner import importfile
from niteoweb.click2sell.owner import importing
from niteoweb.click2sell.privacy import erasure
from niteoweb.click2sell.provider import registry
from niteoweb.click2sell.providers.click2sell.provider import PROVIDER as CLICK2SELL
from niteoweb.click2sell.providers.plenigo.provider import PROVIDER as PLENIGO
from niteoweb.click2sell.storage import transactions
from niteoweb.click2sell.storage import trees
from niteoweb.click2sell.tests.cases.commands import CommandTestCase
from niteoweb.click2sell.tests.cases.documentation import DOCS
from niteoweb.click2sell.tests.cases.documentation import with_docs
from niteoweb.click2sell.tests.cases.pages import MANAGER
from niteoweb.click2sell.tests.cases.pages import NOBODY
from niteoweb.click2sell.tests.cases.pages import PageTestCase
from niteoweb.click2sell.tests.cases.pages import SCRIPT
from niteoweb.click2sell.tests.cases.site import EMAIL
from niteoweb.click2sell.tests.cases.site import SiteTestCase
from pathlib import Path
from plone import api
from plone.app.testing import SITE_OWNER_NAME
from tempfile import TemporaryDirectory
from unittest import mock
from urllib.error import HTTPError
from urllib.parse import urlencode
from zope.i18n import translate

import json
import os
import transaction


OTHER = "jane@example.org"
B = "b@example.org,,1,,b"
HEADER = "address,name,product,valid until,reference"
FILE = f"""\
{HEADER}
{EMAIL},John Smith,1,2026-12-31,A-1
{OTHER},Jane,1,,A-2
{OTHER},Jane,2,,A-3
"""


class ImportTestCase(SiteTestCase):
    def read(self, text: str = FILE) -> importfile.File:
        return importfile.read(text, timezone.utc)

    def look(self, text: str = FILE, mails: bool = False) -> importing.Preview:
        return importing.preview(self.read(text), mails)

    def run_(self, text: str = FILE, mails: int = 0, **options) -> importing.ImportReport:
        return importing.run(self.look(text).rows, "boss", mails, **options)

    def what(self, text: str = FILE) -> list[str]:
        return [line.what for line in self.look(text).lines]


class TestPreview(ImportTestCase):
    def test_new_members(self):
        found = self.look()
        self.assertEqual([line.what for line in found.lines], ["new"] * 3)
        self.assertEqual(found.lines[0].groups, ("premium", "click2sell"))
        self.assertEqual(
            found.counts(),
            {"new": 2, "existing": 0, "known": 0, "attention": 0, "done": 0},
        )
        self.assertEqual(found.groups(), {"click2sell": 2, "course": 1, "premium": 2})

    def test_nothing_is_changed(self):
        before = self.dump()
        self.look()
        self.assertEqual(self.dump(), before)

    def test_accounts_buyers_and_what_needs_attention(self):
        self.account()
        self.account("thief", "june@example.org")
        self.buy(buyer_email=OTHER)
        text = FILE + "june@example.org,June,1,,A-4\n"
        self.assertEqual(self.what(text), ["existing", "known", "known", "attention"])
        line = self.look(text).lines[-1]
        self.assertIn("not certain", translate(line.reason))
        self.assertEqual(line.groups, ())

    def test_mistakes_that_only_the_site_knows(self):
        found = self.look(f"{HEADER}\n{EMAIL},,9,,\nj.ž@example.org,,1,,\n{OTHER},,1,,\nx,,1,,")
        self.assertEqual(
            [(m.line, translate(importing.text(m))) for m in found.mistakes],
            [
                (2, 'The product "9" is not in the settings.'),
                (3, 'Plone does not accept the address "j.ž@example.org".'),
                (5, '"x" is not a valid e-mail address.'),
            ],
        )
        self.assertEqual([line.row.line for line in found.lines], [4])

    def test_who_was_erased(self):
        self.buy()
        erasure.erase(EMAIL, "asked", "owner")
        found = self.look()
        self.assertEqual([line.row.address for line in found.lines], [OTHER, OTHER])
        (mistake,) = found.mistakes
        self.assertEqual(
            translate(importing.text(mistake)),
            f'The buyer of the address "{EMAIL}" was erased: take the buyer in again first, on '
            "the page Privacy.",
        )

    def test_the_fingerprint_stands_for_what_was_shown(self):
        prints = {self.look().fingerprint, self.look(FILE.replace("A-1", "B")).fingerprint}
        self.assertEqual(len(prints), 2)
        self.assertIn(self.look().fingerprint, prints)
        self.account()
        self.assertNotIn(self.look().fingerprint, prints)


class TestRun(ImportTestCase):
    def test_members_groups_and_ends(self):
        report = self.run_()
        self.assertEqual(dict(report.counted), {"new": 2, "known": 1})
        self.assertEqual((report.left, report.failed, report.mails), (0, [], 0))
        self.assertEqual(self.groups(), ["click2sell", "premium"])
        self.assertEqual(self.groups(OTHER), ["click2sell", "course", "premium"])
        self.assertEqual(self.member().getProperty("fullname"), "John Smith")
        self.assertEqual(self.buyer()["next_change"][:10], "2026-12-31")
        self.assertEqual(self.buyer(OTHER)["next_change"], "")

    def test_the_record_tells_who_and_what(self):
        self.run_()
        key = self.buyer()["keys"][0]
        entry = ledger.get(self.portal, key)
        self.assertEqual((entry["provider"], entry["receipt"]), ("owner", "A-1"))
        self.assertEqual(dict(entry["payload"]), {"reason": "import", "by": "boss"})

    def test_again_it_does_nothing(self):
        self.run_()
        before = self.dump()
        found = self.look()
        self.assertEqual([line.what for line in found.lines], ["done"] * 3)
        self.assertEqual((found.rows, found.counts()["done"]), ([], 3))
        importing.run(self.read().rows, "boss")
        self.assertEqual(self.dump(), before)

    def test_it_goes_on_where_it_was_stopped(self):
        report = self.run_(stop=lambda report: report.left == 2)
        self.assertEqual((report.left, len(self.entries())), (2, 1))
        self.assertEqual(self.what(), ["done", "new", "new"])
        self.run_()
        self.assertEqual(len(self.entries()), 3)
        self.assertEqual(self.what(), ["done"] * 3)

    def test_it_goes_on_after_it_was_killed(self):
        real = action.carry_out
        calls = []

        def die(act):
            calls.append(act)
            if len(calls) == 2:
                raise KeyboardInterrupt
            return real(act)

        with mock.patch.object(action, "carry_out", die), self.assertRaises(KeyboardInterrupt):
            self.run_()
        self.assertEqual(self.what(), ["done", "new", "new"])
        self.assertEqual(self.run_().left, 0)

    def test_another_end_under_the_same_reference_counts_too(self):
        self.run_()
        later = FILE.replace("2026-12-31", "2027-12-31")
        self.assertEqual(self.what(later), ["known", "done", "done"])
        self.run_(later)
        self.assertEqual(self.buyer()["next_change"][:10], "2027-12-31")

    def test_another_process(self):
        with mock.patch.object(action, "carry_out", side_effect=transactions.Busy):
            report = self.run_()
        self.assertEqual((report.left, dict(report.counted)), (3, {}))

    def test_one_row_s_trouble_is_not_the_others(self):
        real = grants.Grant

        def grant(address, *args, **kwargs):
            if address == EMAIL:
                raise RuntimeError(EMAIL)
            return real(address, *args, **kwargs)

        rows = self.look().rows
        with (
            mock.patch.object(grants, "Grant", grant),
            self.assertLogs("niteoweb.click2sell", "ERROR") as logged,
        ):
            report = importing.run(rows, "boss")
        self.assertEqual((report.failed, report.left, len(self.entries())), ([2], 0, 2))
        self.assertIn("Line 2: RuntimeError", logged.output[0])
        self.assertNotIn(EMAIL, logged.output[0])
        self.assertEqual(self.what(), ["new", "done", "done"])

    def test_privileged_accounts_are_left_alone(self):
        self.account()
        with self.owner():
            api.user.grant_roles(username=EMAIL, roles=["Manager"])
        before = self.groups()
        report = self.run_()
        self.assertEqual(report.counted["attention"], 1)
        self.assertEqual(self.groups(), before)

    def test_a_refund_with_the_reference_undoes_it(self):
        self.run_()
        self.later(days=1)
        self.refund(c2s_transaction_id="A-1", purchase_date="2026-05-04")
        self.assertEqual(self.groups(), ["click2sell"])


class TestMails(ImportTestCase):
    def setUp(self):
        super().setUp()
        self.settings(welcome_mail="link", notice_mail=True)

    def mails(self) -> list[tuple[str, timedelta]]:
        transaction.begin()
        mails = trees.tree(self.portal, "mails").values()
        return sorted(
            (mail["to"], timestamps.from_iso(mail["due_at"]) - self.now) for mail in mails
        )

    def text(self, *names: str) -> str:
        return "\n".join([HEADER, *(f"{name}@example.org,,1,,{name}" for name in names)])

    def test_off(self):
        self.account()
        self.assertEqual((self.run_().mails, self.mails()), (0, []))

    def test_so_many_an_hour(self):
        with mock.patch("niteoweb.click2sell.mail.delivery.deliver") as delivered:
            report = self.run_(self.text("a", "b", "c"), 4)
        self.assertEqual(report.mails, 3)
        waiting = trees.tree(self.portal, "mails").values()
        self.assertEqual(
            {(mail["state"], mail["attempts"]) for mail in waiting}, {(outbox.DUE, 0)}
        )
        gaps = [gap // timedelta(minutes=1) for _to, gap in self.mails()]
        self.assertEqual(gaps, [0, 15, 30])
        delivered.assert_not_called()
        self.assertEqual(len(outbox.due(self.portal, self.now + timedelta(minutes=20))), 2)

    def test_who_is_mailed_nothing_takes_no_time(self):
        self.run_(self.text("a"))
        report = self.run_(self.text("a", "b", "c").replace(B, "a@example.org,,2,,b"), 4)
        self.assertEqual(report.mails, 1)

    def test_a_second_import_begins_where_the_first_left_off(self):
        self.run_(self.text("a", "b"), 4)
        self.later(minutes=10)
        self.run_(self.text("c"), 4)
        self.assertEqual(dict(self.mails())["c@example.org"], timedelta(minutes=20))
        self.later(days=1)
        self.run_(self.text("d"), 4)
        self.assertEqual(dict(self.mails())["d@example.org"], timedelta(0))


class TestPage(PageTestCase):
    def setUp(self):
        super().setUp()
        self.url = f"{self.portal.absolute_url()}/@@click2sell-import"

    def chosen(self, text: str | bytes = FILE, who: tuple[str, str] = MANAGER, **fields):
        """The page with a file chosen and looked at."""
        browser = self.opened(who=who)
        raw = text if isinstance(text, bytes) else text.encode("utf-8")
        browser.getControl(name="file").add_file(raw, "text/csv", "members.csv")
        for name, value in fields.items():
            control = browser.getControl(name=name)
            control.value = [value] if name == "mails" else value
        browser.getControl("Show the preview").click()
        return browser

    def test_a_file_is_shown_and_then_imported(self):
        browser = self.chosen()
        text = self.text(browser)
        for expected in (
            "new member: 2",
            "members put in the group click2sell: 2",
            f"2 {EMAIL} 1 2026-12-31 new member premium, click2sell",
            f"4 {OTHER} 2 new member course, click2sell",
            "Nobody is mailed.",
        ):
            self.assertIn(expected, text.replace(" :", ":"))
        self.assertEqual(self.entries(), [])
        browser.getControl("Import these lines").click()
        text = self.text(browser)
        self.assertIn("Lines imported: 3", text)
        self.assertIn("All lines are imported.", text)
        self.assertEqual(self.groups(OTHER), ["click2sell", "course", "premium"])
        payload = dict(ledger.get(self.portal, self.key())["payload"])
        self.assertEqual(payload["by"], api.user.get(username=SITE_OWNER_NAME).getId())
        self.assertIn("imported before: 3", self.text(self.chosen()).replace(" :", ":"))

    def test_the_sample_can_be_imported(self):
        browser = self.opened()
        browser.getLink("Download a sample file").click()
        text = self.text(self.chosen(browser.contents))
        self.assertIn("new member: 2", text.replace(" :", ":"))
        self.assertNotIn("Lines to correct", text)

    def test_every_character_survives_the_form(self):
        name = "Žiga 'the \"great\"' <b>&amp; Šon"
        quoted = name.replace('"', '""')
        for end in ("\n", "\r\n"):
            text = f'\n\n{HEADER}\n{end.strip() or ""}\n{EMAIL},"{quoted}",1,,\n'
            browser = self.chosen(text.replace("\n", end))
            self.assertNotIn("<b>", browser.contents)
        browser.getControl("Import these lines").click()
        self.assertIn("Lines imported: 1", self.text(browser))
        self.assertEqual(self.member().getProperty("fullname"), name)

    def test_mistakes_are_shown_and_nothing_can_be_imported(self):
        browser = self.chosen(FILE + f"{SCRIPT},,1,,\nx@example.org,,9,,\n")
        text = self.text(browser)
        self.assertIn("Lines to correct: 2", text)
        self.assertIn(
            'Line 5 : "&lt;script&gt;alert(1)&lt;/script&gt;" is not a valid e-mail', text
        )
        self.assertIn('Line 6 : The product "9" is not in the settings.', text)
        self.assertNotIn(SCRIPT, browser.contents)
        self.assertNotIn("Import these lines", text)
        self.assertIn("new member", text)

    def test_a_form_that_was_made_up_imports_no_mistakes(self):
        browser = self.chosen()
        text = FILE + "x@example.org,,9,,\n"
        with_mistake = importing.preview(importfile.read(text, timezone.utc), False)
        browser.getControl(name="text").value = text
        browser.getControl(name="fingerprint").value = with_mistake.fingerprint
        browser.getControl("Import these lines").click()
        self.assertEqual(self.entries(), [])

    def test_files_that_cannot_be_read(self):
        for text, expected in (
            (b"PK\x03\x04\x00\xff", "The file is no text in UTF-8."),
            ("name;product", "Missing: address"),
            (f"{HEADER},group", "columns that are not known: group"),
            ("\n", "The file is empty."),
        ):
            with self.subTest(expected):
                self.assertIn(expected, self.text(self.chosen(text)))
        self.assertIn("has no line below", self.text(self.chosen(HEADER)))

    def test_no_file(self):
        browser = self.opened()
        browser.getControl("Show the preview").click()
        self.assertIn("Choose a file first.", self.text(browser))

    def test_large_files_are_for_the_command(self):
        lines = "".join(f"b{number}@example.org,,1,,\n" for number in range(4))
        with mock.patch.object(page, "MOST_ROWS", 3):
            self.assertIn("click2sell-import", self.text(self.chosen(f"{HEADER}\n{lines}")))
        with mock.patch.object(page, "MOST_BYTES", 40):
            self.assertIn("click2sell-import", self.text(self.chosen(f"{HEADER}\n{lines}")))

    def test_what_happened_since_is_shown_first(self):
        browser = self.chosen()
        self.account()
        before = self.last_transaction()
        browser.getControl("Import these lines").click()
        self.assertIn("Something has happened since.", self.text(browser))
        self.assertIn("existing account", self.text(browser))
        self.assertEqual(self.last_transaction(), before)
        browser.getControl("Import these lines").click()
        self.assertEqual(self.groups(), ["click2sell", "premium"])

    def test_a_press_of_the_button_has_a_limit(self):
        browser = self.chosen()
        with mock.patch.object(page, "AT_MOST", -1):
            browser.getControl("Import these lines").click()
        self.assertIn("Lines left: 2. Import again to go on.", self.text(browser))
        self.assertEqual(len(self.entries()), 1)
        browser.getControl("Import these lines").click()
        self.assertIn("All lines are imported.", self.text(browser))

    def test_lines_that_failed(self):
        browser = self.chosen()
        with mock.patch.object(action, "carry_out", side_effect=RuntimeError):
            browser.getControl("Import these lines").click()
        self.assertIn("Lines that failed: 2, 3, 4.", self.text(browser))
        self.assertIn("Import these lines", browser.contents)

    def test_mails(self):
        self.settings(welcome_mail="link")
        for rate in ("0", "3601", "²"):
            browser = self.chosen(mails="yes", mails_an_hour=rate)
            self.assertIn("1 to 3600", self.text(browser))
        browser = self.chosen(mails="yes", mails_an_hour="60")
        self.assertIn("at most 60 in an hour", self.text(browser))
        browser.getControl("Import these lines").click()
        self.assertIn("Mails that the automatic check will send: 2", self.text(browser))
        self.assertEqual(len(trees.tree(self.portal, "mails")), 2)

    def test_nothing_without_a_token(self):
        browser = self.chosen()
        fields = {
            name: browser.getControl(name=name, index=0).value
            for name in ("text", "fingerprint", "mails", "mails_an_hour")
        }
        before = self.last_transaction()
        for token in ({}, {"_authenticator": "wrong"}):
            browser = self.browser()
            browser.raiseHttpErrors = True
            with self.assertRaises(HTTPError) as caught:
                browser.post(self.url, urlencode({**fields, **token, "apply": "1"}))
            self.assertEqual(caught.exception.code, 403)
        self.assertEqual(self.last_transaction(), before)

    def test_get_does_nothing(self):
        browser = self.chosen()
        fields = {
            name: browser.getControl(name=name, index=0).value
            for name in ("text", "fingerprint", "mails", "_authenticator")
        }
        before = self.last_transaction()
        self.assertNotIn("Lines imported", self.text(self.opened(**fields, apply="1")))
        self.assertEqual(self.last_transaction(), before)

    def test_who_may(self):
        viewer = self.person("viewer", permissions=("View purchases", "Configure"))
        self.assertIn("Insufficient Privileges", self.opened(who=viewer).contents)
        self.assertIn("/login?came_from=", self.opened(who=NOBODY).url)
        # A role of this name has only one permission then.
        operator = self.person("operator", permissions=("Operate purchases",))
        browser = self.chosen(who=operator)
        browser.getControl("Import these lines").click()
        self.assertEqual(len(self.entries()), 3)

    def test_a_copy_of_the_site(self):
        with mock.patch.dict(os.environ, CLICK2SELL_STAGING="1"):
            self.assertIn("changes this copy only", self.text(self.opened()))


class TestProvider(PageTestCase):
    """Products of another provider than Click2Sell, one for a whole file."""

    def setUp(self):
        super().setUp()
        stored = registry.settings(PLENIGO)
        stored.enabled, stored.mapping = True, ["gold|course"]
        transaction.commit()
        self.file = importfile.read(f"{HEADER}\n{EMAIL},,gold,,A-1\n", timezone.utc)

    def test_products_are_those_of_its_mapping(self):
        (mistake,) = importing.preview(self.file, False).mistakes
        self.assertEqual((mistake.code, mistake.subject), ("unknown product", "gold"))
        found = importing.preview(self.file, False, PLENIGO.name)
        self.assertEqual(found.mistakes, ())
        self.assertEqual(found.lines[0].groups, ("course", "click2sell"))

    def test_what_was_done_for_one_is_not_done_for_the_other(self):
        for provider in (PLENIGO.name, CLICK2SELL.name):
            lines = importing.preview(self.file, False, provider).lines
            report = importing.run(self.file.rows, "boss", provider=provider)
            self.assertNotIn("done", [line.what for line in lines])
            self.assertEqual(report.counted["done"], 0)
        again = importing.run(self.file.rows, "boss", provider=PLENIGO.name)
        self.assertEqual(again.counted, {"done": 1})
        self.assertEqual(len(self.entries()), 2)

    def test_what_was_shown_is_for_one_provider(self):
        one, other = (
            importing.preview(importfile.read(HEADER, timezone.utc), False, name)
            for name in ("plenigo", "click2sell")
        )
        self.assertNotEqual(one.fingerprint, other.fingerprint)

    def test_it_is_chosen_on_the_page(self):
        self.url = f"{self.portal.absolute_url()}/@@click2sell-import"
        browser = self.opened()
        choice = browser.getControl(name="provider")
        self.assertEqual(
            (choice.options, choice.value), (["click2sell", "plenigo"], ["click2sell"])
        )
        choice.value = ["plenigo"]
        text = f"{HEADER}\n{EMAIL},,gold,,A-1\n"
        browser.getControl(name="file").add_file(text.encode(), "text/csv", "m.csv")
        browser.getControl("Show the preview").click()
        browser.getControl("Import these lines").click()
        self.assertIn("Lines imported: 1", self.text(browser))
        self.assertEqual(self.groups(), ["click2sell", "course"])
        # Another file is most likely of the same provider.
        self.assertEqual(browser.getControl(name="provider", index=0).value, ["plenigo"])


class TestCommand(ImportTestCase, CommandTestCase):
    """``click2sell-import``."""

    def setUp(self):
        super().setUp()
        folder = TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.path = Path(folder.name, "members.csv")
        self.path.write_text(FILE, "utf-8")

    def import_(self, *options: str, status: int = 0) -> str:
        return self.call(command.main, str(self.path), *options, status=status)

    def test_another_provider(self):
        stored = registry.settings(PLENIGO)
        stored.mapping = ["1|course", "2|premium"]
        transaction.commit()
        text = self.import_("--provider", "plenigo")
        self.assertIn(f"Line 2: {EMAIL}, product 1: new, groups course, click2sell\n", text)
        self.import_("--provider", "nobody", status=2)
        told = self.complaints.getvalue()
        known = ", ".join(one.name for one in registry.registered())
        self.assertIn(f"'nobody' is no provider. There are: {known}.", told)

    def test_it_tells_what_it_would_do(self):
        before = self.dump()
        text = self.import_()
        self.assertIn(f"Line 2: {EMAIL}, product 1: new, groups premium, click2sell\n", text)
        self.assertIn("new: 2, existing: 0, known: 0, attention: 0, done: 0\n", text)
        self.assertIn("group click2sell: 2 members\n", text)
        self.assertIn("Nothing was done. --apply does it.", text)
        self.assertEqual(self.import_("--dry-run"), text)
        self.assertEqual(self.dump(), before)

    def test_it_imports(self):
        with mock.patch.object(command, "PROGRESS", 2):
            self.assertIn("3 lines imported, 0 mails filed.", self.import_("--apply"))
        self.assertEqual(self.complaints.getvalue(), "2 lines imported\n")
        self.assertEqual(self.groups(OTHER), ["click2sell", "course", "premium"])
        payload = dict(ledger.get(self.portal, self.buyer()["keys"][0])["payload"])
        self.assertEqual(payload["by"], "click2sell-import")
        self.assertIn("0 lines imported", self.import_("--apply"))
        self.assertIn("done: 3", self.import_())

    def test_mistakes_stop_it(self):
        self.path.write_text(FILE + "x,,1,,\n", "utf-8")
        before = self.dump()
        for options in ((), ("--apply",)):
            text = self.import_(*options, status=1)
            self.assertIn('Line 5: "x" is not a valid e-mail address.', text)
            self.assertIn("Nothing was done. Put these lines right first.", text)
        self.assertEqual(self.dump(), before)

    def test_mails(self):
        self.settings(welcome_mail="link")
        self.assertIn("2 mails filed.", self.import_("--apply", "--mails-per-hour=60"))
        for number in ("0", "3601", "many"):
            with self.subTest(number), self.assertRaises(SystemExit):
                self.import_(f"--mails-per-hour={number}")

    def test_json(self):
        told = json.loads(self.import_("--json"))
        self.assertEqual((told["dry_run"], told["people"]["new"]), (True, 2))
        self.assertEqual(told["lines"][0]["groups"], ["premium", "click2sell"])
        told = json.loads(self.import_("--json", "--apply"))
        self.assertEqual(told["imported"], {"new": 2, "known": 1})

    def test_what_is_left(self):
        with mock.patch.object(action, "carry_out", side_effect=transactions.Busy):
            text = self.import_("--apply", status=1)
        self.assertIn("3 lines are left", text)
        with mock.patch.object(action, "carry_out", side_effect=RuntimeError):
            text = self.import_("--apply", status=1)
        self.assertIn("Lines that failed, see the log: 2, 3, 4", text)

    def test_files_that_cannot_be_read(self):
        self.path.write_bytes(b"\xff")
        self.assertEqual(self.import_(status=2), "")
        self.assertIn("no text in UTF-8", self.complaints.getvalue())
        with mock.patch.object(command, "MOST_BYTES", 0):
            self.import_(status=2)
        self.assertIn("is larger than 0 bytes", self.complaints.getvalue())
        self.path.unlink()
        self.import_(status=2)
        self.assertIn("cannot be read: No such file", self.complaints.getvalue())

    @with_docs
    def test_the_file_in_the_documentation(self):
        self.path = DOCS / "examples" / "members.csv"
        self.settings(mapping=["1|premium|365"])
        self.assertIn("new: 3,", self.import_())
