"""``make bench`` in short, and that it judges its figures rightly."""

from contextlib import contextmanager
from contextlib import redirect_stderr
from contextlib import redirect_stdout
from dataclasses import replace
from io import StringIO
from pathlib import Path
from tempfile import TemporaryDirectory
from tools import client
from tools.bench import endurance
from tools.bench import measure
from tools.bench import renewals
from tools.bench import run
from tools.bench import sites
from tools.bench.crowd import Crowd
from tools.bench.endurance import Endurance
from tools.bench.endurance import Look
from tools.bench.mailing import Mailing
from tools.bench.measure import Compared
from tools.bench.measure import Figures
from tools.bench.outcome import Outcome
from tools.bench.provider import Rush
from tools.bench.renewals import Renewals
from tools.bench.visits import Pages
from tools.program import ToolError
from types import SimpleNamespace
from unittest import mock
from unittest import TestCase

import json


class BenchCase(TestCase):
    def setUp(self):
        folder = TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)


class TestShortRun(BenchCase):
    def run_bench(self, *arguments):
        with redirect_stdout(StringIO()) as said, redirect_stderr(StringIO()) as complained:
            status = run.main([*arguments, "--out", str(self.folder)])
        return status, said.getvalue(), complained.getvalue()

    def test_all_that_was_bought_is_found(self):
        short = ("--members", "3", "--purchases", "2", "--crowd", "16", "--clients", "4")
        short += ("--renewals", "25")
        with (
            mock.patch("tools.bench.measure.WARM_UP", 5),
            mock.patch("tools.bench.measure.FORGED", 20),
        ):
            status, said, complained = self.run_bench(*short)
        self.assertEqual((status, complained), (0, ""), said)
        self.assertIn("met  failed or lost, 4 clients, 16 purchases, 3 members", said)
        found = json.loads((self.folder / "results.json").read_text("utf-8"))
        self.assertIn("the mail of a purchase is with the mail server, p95", said)
        self.assertGreater(found["mailing"]["arrival"], 0)
        self.assertIsNotNone(found["mailing"]["hanging"])
        self.assertIn("a renewal, after 25 renewals over after few", said)
        self.assertGreater(found["renewals"]["bytes_few"], 0)
        (compared,) = found["compared"]
        for name in ("site", "registration"):
            self.assertGreater(compared[name], 0)
            self.assertGreater(compared[f"bytes_{name}"], 0)
        # The sites were made for this run alone.
        self.assertEqual(list(self.folder.glob("site-*")), [])

    def test_what_is_lost_is_an_error(self):
        with mock.patch.object(run, "run", side_effect=ToolError("A purchase is missing")):
            status, said, complained = self.run_bench()
        self.assertEqual((status, said, complained), (1, "", "A purchase is missing\n"))


class TestTurns(BenchCase):
    def test_all_see_the_same_machine(self):
        asked = []
        settled = []
        server = SimpleNamespace(database_size=0, settle=lambda: settled.append(len(asked)))

        def ask(name, seconds, grows):
            def send():
                asked.append(name)
                server.database_size += grows
                # The first ones take long, and are not counted.
                return seconds if asked.count(name) > measure.WARM_UP else 9.0

            return measure.Ask(server, send, settles=name == "a")

        asks = [ask("a", 0.004, 10), ask("b", 0.5, 0)]
        measure.take_turns(asks, 12)
        self.assertEqual(asked[: 2 * measure.TURN], ["a"] * measure.TURN + ["b"] * measure.TURN)
        self.assertEqual(asked.count("a"), measure.WARM_UP + 15)
        self.assertEqual([one.median for one in asks], [4.0, 500.0])
        # What goes on in the background is waited for at the end of the turn that began it.
        self.assertEqual(settled, list(range(measure.TURN, len(asked), 2 * measure.TURN)))
        self.assertEqual([one.grown for one in asks], [10.0, 0.0])


class TestFilled(BenchCase):
    """A site that was filled can be kept for another run."""

    def setUp(self):
        super().setUp()
        self.kept = self.folder / "kept"
        self.number = 0

    def filled(self):
        filled = []

        class Site:
            name = "some"

            def __init__(self, folder, port):
                self.file = folder / "var" / "Data.fs"
                self.had = self.file.exists()

            def fill(self, members):
                self.file.parent.mkdir(parents=True, exist_ok=True)
                self.file.write_text(str(members))
                filled.append(members)

        self.number += 1
        own = self.folder / str(self.number)
        made = sites.filled(Site, 7, own, self.kept, 25)
        self.assertEqual(filled, [7])
        return made

    def test_it_is_kept_as_it_was_before_anything_was_bought(self):
        first = self.filled()
        self.assertFalse(first.had)
        first.file.write_text("bought")
        second = self.filled()
        self.assertTrue(second.had)
        self.assertEqual(second.file.read_text(), "7")

    def test_one_that_is_not_complete_is_made_anew(self):
        self.filled()
        (self.kept / "some-7" / "complete").unlink()
        self.assertFalse(self.filled().had)
        self.assertTrue(self.filled().had)


class TestEndurance(BenchCase):
    def test_it_looks_at_equal_distances(self):
        noted, settled = [], []

        @contextmanager
        def served():
            yield 1

        site = SimpleNamespace(
            port=1,
            served=served,
            note=noted.append,
            settle=lambda: settled.append(len(noted)),
            failed=2,
        )
        held = {"loaded": 1, "placeholders": 2, "placeholder_bytes": 3, "objects": 4}
        answer = client.Answer(200, json.dumps(held).encode(), 0.1)
        with (
            mock.patch.object(endurance, "rush", return_value=Rush()) as rush,
            mock.patch.object(client, "ask", return_value=answer),
        ):
            found = endurance.measure(site, 1000, lambda text: None)
        self.assertEqual({call.args for call in rush.call_args_list}, {(1, 4, 100)})
        self.assertEqual([look.purchases for look in found.looks], list(range(100, 1001, 100)))
        self.assertEqual((len(noted), found.failed), (10, 2))
        self.assertEqual(settled, list(range(1, 11)))

    def test_the_index_grows_with_the_database(self):
        first = Look(10_000, 200_000_000, 8000, 5000, 500_000, 1_000_000)
        found = Endurance([first, replace(first, memory=230_000_000, objects=3_000_000)])
        self.assertEqual((found.grown, found.index_grown), (30_000_000, 16_000_000))
        self.assertEqual(found.placeholders_grown, 0)


class TestOutcome(BenchCase):
    def setUp(self):
        super().setUp()
        figures = [
            Figures(0, 10.0, 5.0, 4.4, 4.0, 29_000, 0, 200_000_000),
            Figures(100, 20.0, 5.0, 4.4, 4.0, 29_000, 0, 200_000_000),
            Figures(100_000, 21.0, 6.4, 5.0, 4.0, 31_000, 0, 210_000_000),
        ]
        compared = [
            Compared(0, 20.0, 10.0, 29_000, 19_000),
            Compared(100, 20.0, 14.0, 29_000, 19_000),
            Compared(100_000, 21.0, 11.0, 31_000, 21_000),
        ]
        crowd = Crowd(
            100_000,
            8,
            2000,
            seconds={1: 40.0, 8: 44.0},
            p50={1: 20.0, 8: 150.0},
            p99={1: 40.0, 8: 400.0},
            failed=1,
        )
        looks = [
            Look(10_000, 200_000_000, 8000, 5000, 1_000_000, 1_000_000),
            Look(100_000, 230_000_000, 8000, 25_000, 7_000_000, 3_000_000),
        ]
        pages = [
            Pages("a list", {1000: 50.0, 1_000_000: 60.0}),
            Pages("a slow list", {1000: 50.0, 1_000_000: 70.0}),
            Pages("a longer one", {1000: 50.0, 1_000_000: 70.0}, {1000: 5, 1_000_000: 50}),
        ]
        self.outcome = Outcome("link", figures, compared, crowd)
        self.alone = Outcome("link", figures[1:2], [compared[1]])
        self.of_mail = Outcome("link", mailing=Mailing(100, 20.0, 21.0, 2.5, 30.0, 80.0))
        self.of_memory = Outcome("link", endurance=Endurance(looks))
        self.of_pages = Outcome("link", pages=pages)

    def test_bars(self):
        bars = {bar.name: bar.met for bar in self.outcome.bars()}
        at_once = "8 clients, 2,000 purchases, 100,000 members"
        self.assertEqual(
            bars,
            {
                "a purchase, 100,000 members over 100": True,
                "bytes a purchase, 100,000 members": False,
                "a purchase over the floor, 100,000 members": False,
                "duplicate over first, 100,000 members": False,
                "forged over the floor, 100,000 members": True,
                "growth by 1,000 forged ones": True,
                "a purchase over Plone's registration, 100 members": True,
                "bytes a purchase over Plone's registration, 100 members": False,
                "a purchase over Plone's registration, 100,000 members": False,
                "bytes a purchase over Plone's registration, 100,000 members": True,
                f"failed or lost, {at_once}": False,
                f"total time over one client's, {at_once}": True,
                f"p99 over one client's median, {at_once}": False,
            },
        )

    def test_memory(self):
        total, rest, failed = self.of_memory.bars()
        self.assertEqual((failed.value, failed.met), (0, True))
        self.assertEqual((total.value, total.met), (1.15, False))
        self.assertEqual((rest.value, rest.met), (1.04, True))
        self.assertIn("It grew by 30 MB, 16 MB of it", self.of_memory.table())

    def test_mail(self):
        slow, arrival, page = self.of_mail.bars()
        self.assertEqual((slow.value, slow.met), (1.05, True))
        self.assertEqual((arrival.value, arrival.met), (2.5, False))
        self.assertEqual((round(page.value, 2), page.met), (2.67, True))
        text = self.of_mail.table()
        self.assertEqual(text.count("\nNOT "), 1)
        self.assertIn("fast mail server 20.0 ms, slow one 21.0 ms", text)
        self.assertEqual(json.loads(self.of_mail.json())["mailing"]["arrival"], 2.5)

    def test_renewals(self):
        outcome = Outcome("link", renewals=Renewals(1000, 20.0, 29.0, 10_000.0, 16_000.0))
        time, grown = outcome.bars()
        self.assertEqual((time.value, time.met), (1.45, True))
        self.assertEqual((grown.value, grown.met), (1.6, False))
        self.assertIn("after 1,000: 29.0 ms, 16,000 bytes", outcome.table())

    def test_a_renewal_that_took_no_effect_is_an_error(self):
        answer = SimpleNamespace(json=lambda: {"items_total": 4})
        with mock.patch.object(renewals, "ask", return_value=answer):
            renewals._check(8080, 4)
            with self.assertRaisesRegex(ToolError, "5 notifications are due; 4 took effect"):
                renewals._check(8080, 5)

    def test_pages_alone(self):
        met = {bar.name: bar.met for bar in self.of_pages.bars()}
        self.assertEqual(met, {"a list": True, "a slow list": False})
        text = self.of_pages.table()
        self.assertIn("1,000,000", text)
        self.assertIn("rows: [5, 50]", text)
        self.assertEqual(text.count("\nNOT "), 1)
        read = json.loads(self.of_pages.json())
        self.assertEqual(read["pages"][1]["times"], {"1000": 50.0, "1000000": 70.0})

    def test_table(self):
        text = self.outcome.table()
        self.assertIn("100,000", text)
        self.assertEqual(text.count("\nNOT "), 7)
        self.assertIn("  8 clients: 2,000 purchases in 44.0 s", text)
        self.assertRegex(text, r"100,000 +21\.0 ms +11\.0 ms +31,000 +21,000 +1\.91")

    def test_one_size_and_no_crowd(self):
        self.assertNotIn("clients", self.alone.table())
        names = [bar.name for bar in self.alone.bars()]
        self.assertFalse([name for name in names if "over 100" in name])

    def test_json(self):
        read = json.loads(self.outcome.json())
        self.assertEqual(read["figures"][2]["members"], 100_000)
        self.assertEqual(read["compared"][2]["registration"], 11.0)
        self.assertEqual(read["crowd"]["failed"], 1)
        self.assertIsNone(read["endurance"])
        self.assertEqual(len(read["bars"]), 13)
        self.assertIn("ZODB", read["versions"])
        self.assertEqual(set(read["machine"]) & {"cores", "python"}, {"cores", "python"})
