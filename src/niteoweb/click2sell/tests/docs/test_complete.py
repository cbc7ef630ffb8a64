"""The documentation is complete: what the code can say or be told is explained there."""

from contextlib import redirect_stdout
from contextlib import suppress
from datetime import datetime
from importlib import import_module
from io import StringIO
from niteoweb.click2sell import notification
from niteoweb.click2sell.browser import callback
from niteoweb.click2sell.browser.desk import member
from niteoweb.click2sell.browser.desk import plots
from niteoweb.click2sell.command import adopt
from niteoweb.click2sell.command import console
from niteoweb.click2sell.command import notify
from niteoweb.click2sell.entitlement import Reason
from niteoweb.click2sell.entitlement.period import State
from niteoweb.click2sell.explain import timeline
from niteoweb.click2sell.interfaces import ICleengSettings
from niteoweb.click2sell.interfaces import IClick2SellSettings
from niteoweb.click2sell.interfaces import IPlenigoSettings
from niteoweb.click2sell.interfaces import ISecretKeyActions
from niteoweb.click2sell.interfaces import IWebTVSettings
from niteoweb.click2sell.ledger import counters
from niteoweb.click2sell.ledger import Outcome
from niteoweb.click2sell.ledger import outcomes
from niteoweb.click2sell.ledger import ownership
from niteoweb.click2sell.ledger import reasons
from niteoweb.click2sell.owner.commands import COMMANDS
from niteoweb.click2sell.report import happenings
from niteoweb.click2sell.report import labels
from niteoweb.click2sell.report import notifications as listing
from niteoweb.click2sell.restapi import memberactions
from niteoweb.click2sell.restapi import notifications
from niteoweb.click2sell.restapi.privacy import PrivacyPost
from niteoweb.click2sell.restapi.protection import Operation
from niteoweb.click2sell.restapi.sweep import SweepPost
from niteoweb.click2sell.settings import apitoken
from niteoweb.click2sell.settings import rules
from niteoweb.click2sell.storage import trees
from niteoweb.click2sell.tests.cases import recording
from niteoweb.click2sell.tests.cases.documentation import DOCS
from niteoweb.click2sell.tests.cases.documentation import pages
from niteoweb.click2sell.tests.cases.documentation import with_docs
from niteoweb.click2sell.tests.chromium import pictures
from niteoweb.click2sell.tests.chromium.case import WIDTHS
from niteoweb.click2sell.tests.chromium.pages import PAGES
from niteoweb.click2sell.tests.chromium.pictures import names
from niteoweb.click2sell.worker.report import SweepReport
from pathlib import Path
from unittest import mock
from zope.schema import getFieldsInOrder

import json
import re
import unittest


PACKAGE = Path(notification.__file__).parent


def commands() -> dict[str, str]:
    """The console commands: name -> module. The installed package may be an older one."""
    text = (DOCS.parent / "setup.py").read_text("utf-8")
    return dict(re.findall(r'"(click2sell-[a-z-]+) = ([\w.]+):main"', text))


def options(module: str) -> set[str]:
    """The options of a command."""
    with redirect_stdout(StringIO()) as printed, suppress(SystemExit):
        import_module(module).main(["--help"])
    return words_with_dashes(printed.getvalue())


def words_with_dashes(text: str) -> set[str]:
    """The options in a command's help, but for help itself."""
    return set(re.findall(r"(?<![\w-])--[a-z-]+", text)) - {"--help"}


def options_of(service: type[Operation]) -> set[str]:
    """The options in the body that a service knows."""
    with (
        mock.patch.object(service, "options", side_effect=InterruptedError) as options,
        suppress(InterruptedError),
    ):
        service().operate()
    return set(options.call_args.kwargs)


@with_docs
class TestCompleteness(unittest.TestCase):
    def assert_explained(self, page: str, words) -> None:
        text = " ".join(pages()[page].split())
        for word in words:
            with self.subTest(word):
                self.assertTrue(word in text, f"{page} does not explain it")

    def test_settings(self):
        token = {f"{name}_clear" for name in apitoken.SENT}
        titles = [str(ISecretKeyActions[name].title) for name in token]
        self.assert_explained("providers.rst", titles)
        for page, schemas in (
            ("configuration.rst", (IClick2SellSettings, ISecretKeyActions)),
            ("providers.rst", (IPlenigoSettings, ICleengSettings)),
            ("webtv.rst", (IWebTVSettings,)),
        ):
            fields = [
                (name, field)
                for schema in schemas
                for name, field in getFieldsInOrder(schema)
                if name not in token
            ]
            self.assert_explained(page, [str(field.title) for name, field in fields])
            settings = [name for name, field in fields if name not in ISecretKeyActions]
            self.assert_explained(page, [f"``{name}``" for name in settings])

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

    def test_substitutions(self):
        room = PACKAGE / "contentrules"
        code = (room / "substitutions.py").read_text("utf-8")
        names = re.findall(r'"(c2s_\w+)"', code)
        registered = (room / "configure.zcml").read_text("utf-8").count("<adapter")
        self.assertEqual(len(names), registered)
        self.assert_explained("events.rst", [f"``${{{name}}}``" for name in names])

    def test_answers(self):
        answers = [
            *(callback.PARSED, callback.NO_POST, callback.TOO_LARGE, callback.REFUSED),
            *(callback.REFUSED_MANY, callback.BUSY, callback.FAILED),
        ]
        self.assert_explained("notifications.rst", [f"``{answer}``" for answer in answers])

    def test_types_of_errors(self):
        told = re.compile(
            r'[45]\d\d,\s*"([A-Z]\w+)"|later\("([A-Z]\w+)"|_refuse\(course, "([A-Z]\w+)"'
        )
        for name, files in (
            ("webtv", ["webtv.rst"]),
            ("plenigo", ["plenigo.rst", "providers.rst"]),
        ):
            code = [
                path.read_text("utf-8") for path in (PACKAGE / "providers" / name).glob("*.py")
            ]
            kinds = {kind for found in told.findall("".join(code)) for kind in found if kind}
            self.assertGreater(len(kinds), 10)
            text = "".join(pages()[page] for page in files)
            self.assertEqual({kind for kind in kinds if f"``{kind}``" not in text}, set())

    def test_outcomes(self):
        named = {*outcomes.FINAL, Outcome.RECEIVED, Outcome.FAILED}
        self.assert_explained("notifications.rst", [f"*{outcome}*" for outcome in named])

    def test_reasons(self):
        self.assertEqual(set(reasons.REASONS), set(Reason))
        self.assert_explained("notifications.rst", [f"``{code}``" for code in Reason])

    def test_commands(self):
        text = pages()["command.rst"]
        common = text[: text.index(".. _command-sweep:")]
        shared = words_with_dashes(console.parser("", "").format_help())
        self.assertEqual(shared, {"--config", "--site", "--json"})
        for option in shared:
            self.assertIn(f"``{option}", common)
        self.assertIn(f"``{console.CONFIGURATION_VARIABLE}``", common)
        self.assertIn(f"``{console.CONFIGURATION}``", common)
        for name, module in commands().items():
            start = text.index(f"\n{name}\n{'-' * len(name)}\n")
            section = text[start + 1 :].partition("\n.. _command-")[0]
            for option in options(module) - shared:
                with self.subTest(name, option=option):
                    self.assertIn(f"``{option}", section)
            with self.subTest(name):
                self.assertIn(name, pages()["installation.rst"])

    def test_kinds_of_click2sell_notify(self):
        self.assertIn("--secret-key-file", options("niteoweb.click2sell.command.notify"))
        kinds = {kind for maker in notify.samples().values() for kind in maker.KINDS}
        self.assertGreater(len(kinds), 8)
        self.assert_explained("command.rst", [f"``{kind}``" for kind in sorted(kinds)])

    def test_services(self):
        text = (PACKAGE / "restapi" / "configure.zcml").read_text("utf-8")
        services = set(
            re.findall(r'<plone:service\s+method="(\w+)".*?name="(@[\w-]+)"', text, re.S)
        )
        self.assertEqual(len(services), text.count("<plone:service"))
        names = [f"``{method} /{name}" for method, name in services]
        self.assert_explained("services.rst", [*names, "/@controlpanels/click2sell"])

    def test_options_and_fields_of_services(self):
        options = options_of(SweepPost).union(
            *(memberactions.kinds(command.form, None) for command in COMMANDS.values())
        )
        fields = [*notifications.SUMMARY, *notifications.DETAILS, "terms", "payload"]
        words = [*options, *fields, *listing.NAMES]
        self.assert_explained("services.rst", [f"``{word}``" for word in words])

    def test_privacy(self):
        options = options_of(PrivacyPost)
        self.assert_explained("services.rst", [f"``{word}``" for word in options])
        recorded = (recording.FOLDER / "privacy-export-answer.http").read_text("utf-8")
        told = json.loads(recorded.partition("\n\n")[2])
        of_notifications = {*notifications.SUMMARY, *notifications.DETAILS, "days", "exclusive"}
        names = {*told, "kind", "to", "filed_at", "due_at"}
        for part in told.values():
            if isinstance(part, list):
                names.update(name for item in part for name in item)
        self.assertIn("groups_granted", names)
        words = names - of_notifications - {"terms_known", "counts"}
        self.assert_explained("privacy.rst", [f"``{word}``" for word in words])

    def test_members(self):
        states = [str(text) for text in labels.STATES.values()]
        self.assert_explained("members.rst", [f"* - *{state}*" for state in states])
        events = [
            *(timeline.NOTIFICATION, timeline.ACTION, timeline.NOTE, timeline.FILED),
            *(timeline.TRIED, timeline.SENT, timeline.DROPPED, *happenings.EVENTS),
        ]
        words = [*member.GROUPS, *events, *(str(state) for state in State)]
        self.assert_explained("services.rst", [f"``{word}``" for word in words])

    def test_report(self):
        report = SweepReport(datetime.min, False, False).as_json()
        self.assert_explained("operation.rst", [f"``{name}``" for name in report])

    def test_figures(self):
        recorded = (recording.FOLDER / "report-answer.http").read_text("utf-8")
        fields = {*json.loads(recorded.partition("\n\n")[2]), *counters.NAMES} - {"@id"}
        fields |= {"items_total", "items_total_capped", "usual_seconds", "unusually_silent"}
        self.assert_explained("services.rst", [f"``{name}``" for name in fields])
        self.assert_explained("report.rst", ["(``@@click2sell-report``", "30 or 90 days"])
        titles = [str(title) for title in plots.TITLES.values()]
        text = pages()["report.rst"].lower()
        self.assertEqual([title for title in titles if title.lower() not in text], [])

    def test_why_members_are_listed_by_the_adoption(self):
        self.assert_explained("upgrade.rst", [f"* - ``{why}``" for why in adopt.WHY])

    def test_rooms(self):
        names = [
            f"``{path.name}``" if path.is_file() else f"``{path.name}/``"
            for path in PACKAGE.iterdir()
            if (path.suffix == ".py" and path.name != "__init__.py")
            or (path.is_dir() and path.name != "__pycache__")
        ]
        self.assertIn("``ledger/``", names)
        self.assert_explained("development.rst", names)
        drawing = (DOCS / "rooms.svg").read_text("utf-8")
        rooms = {path.parent.name for path in PACKAGE.glob("*/__init__.py")} - {
            "tests",
            "upgrades",
        }
        self.assertIn("hooks", rooms)
        for name in sorted(rooms):
            with self.subTest(name):
                self.assertRegex(drawing, rf"\b{name}\b", "is not drawn")
        table = pages()["development.rst"].partition("The rooms\n")[2]
        for name in re.findall(r"``([a-z_]+\.py|[a-z_]+/)``", table):
            with self.subTest(name):
                self.assertTrue((PACKAGE / name).exists(), "is not there")

    def test_exchanges(self):
        shown = "\n".join(pages().values())
        modules = [path.read_text("utf-8") for path in Path(__file__).parent.glob("test_*.py")]
        made = re.findall(r"    def (test_\w+)", "".join(modules))
        for path in sorted(recording.FOLDER.iterdir()):
            with self.subTest(path.name):
                name = re.sub("-(request|answer).http$", "", path.name)
                self.assertIn(f"test_{name.replace('-', '_')}", made)
                self.assertIn(f".. literalinclude:: http-examples/{path.name}\n", shown)

    def test_screenshots(self):
        text = "\n".join(pages().values())
        shown = dict(re.findall(r"\.\. image:: screenshots/(\S+)\n +:alt: (.+)\n", text))
        made = {file for page in PAGES for width in WIDTHS for file in names(page.name, width)}
        self.assertEqual(set(shown), made)
        described = re.findall(r"\.\. image:: \S+\n +:alt: .+\n", text)
        self.assertEqual(text.count(".. image::"), len(described), "without a text beside it")
        self.assertEqual({path.name for path in pictures.FOLDER.iterdir()}, made)
        for path in pictures.FOLDER.iterdir():
            with self.subTest(path.name):
                self.assertLess(path.stat().st_size, pictures.LARGEST)

    def test_limits(self):
        entries = f"{ownership.ENTRIES_PER_TRANSACTION} notifications"
        self.assert_explained("security.rst", [entries, "24 hours"])
        self.assert_explained("notifications.rst", [f"{callback.LARGEST_BODY // 1024} KiB"])

    def test_what_is_kept(self):
        self.assert_explained("security.rst", [f"``{trees.KEY}``"])
