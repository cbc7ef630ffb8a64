"""The plots: complete in themselves, readable without colours, and harmless."""

from lxml import etree
from niteoweb.click2sell.report import charts

import re
import unittest


class TestBars(unittest.TestCase):
    def plot(self, labels, values, title="Sales", description="All of them."):
        return charts.bars("sales", title, description, labels, values)

    def test_a_bar_for_each_value_but_zero(self):
        svg = etree.fromstring(self.plot(["05-01", "05-02", "05-03"], [4, 0, 2]))
        bars = svg.findall(".//rect")
        first, second = (float(bar.get("height")) for bar in bars)
        self.assertAlmostEqual(first, 2 * second, 3)
        self.assertEqual(
            [bar.getparent().find("title").text for bar in bars], ["05-01: 4", "05-03: 2"]
        )

    def test_nothing_is_run_and_nothing_comes_from_elsewhere(self):
        svg = self.plot([str(n) for n in range(90)], list(range(90)))
        self.assertNotRegex(svg, r"(?i)<script|<style|style=|href|url\(|on\w+=|<!--|pygal")
        self.assertEqual(re.findall(r"https?://[^\"']*", svg), [])

    def test_it_says_what_it_is(self):
        svg = etree.fromstring(self.plot(["a"], [1]))
        self.assertEqual(svg.get("role"), "img")
        named = [svg.find(f".//*[@id='{i}']").text for i in svg.get("aria-labelledby").split()]
        self.assertEqual(named, ["Sales", "All of them."])

    def test_it_is_as_wide_as_the_page(self):
        svg = etree.fromstring(self.plot(["a"], [1]))
        self.assertEqual(svg.get("width"), "100%")
        self.assertRegex(svg.get("viewBox"), r"^0 0 \d+ \d+$")

    def test_what_comes_from_outside_is_escaped(self):
        svg = self.plot(["<script>alert(1)</script>"], [1], "<b>&", '"</desc><script>')
        self.assertNotIn("<script", svg)
        self.assertNotIn("<b>", svg)
        etree.fromstring(svg)

    def test_nothing_to_plot(self):
        for labels, values in (([], []), (["a"], [0]), (["a", "b"], [0, 0])):
            self.assertEqual(etree.fromstring(self.plot(labels, values)).findall(".//rect"), [])

    def test_few_labels(self):
        for count in (1, 12, 24, 30, 90):
            svg = etree.fromstring(self.plot([f"L{n}" for n in range(count)], [1] * count))
            shown = [t for t in svg.findall(".//text") if t.text.startswith("L")]
            self.assertLessEqual(len(shown), charts.LABELS)
            self.assertEqual(shown[0].text, "L0")


class TestTicks(unittest.TestCase):
    def test_round_and_few(self):
        for most, expected in (
            (0, [0, 1]),
            (1, [0, 1]),
            (4, [0, 1, 2, 3, 4]),
            (5, [0, 2, 4, 6]),
            (99, [0, 50, 100]),
            (123, [0, 50, 100, 150]),
            (1_000_000, [0, 500_000, 1_000_000]),
        ):
            with self.subTest(most):
                self.assertEqual(charts.ticks(most), expected)
                self.assertLessEqual(len(expected), charts.STEPS + 1)


class TestColours(unittest.TestCase):
    def contrast(self, colour, other):
        high, low = sorted((self.luminance(colour), self.luminance(other)), reverse=True)
        return (high + 0.05) / (low + 0.05)

    def luminance(self, colour):
        parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
        linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
        return sum(f * p for f, p in zip((0.2126, 0.7152, 0.0722), linear, strict=True))

    def test_they_can_be_seen(self):
        for background in ("#ffffff", "#000000"):
            self.assertGreater(self.contrast(charts.COLOUR, background), 4.4)
            self.assertGreater(self.contrast(charts.FAINT, background), 3)
