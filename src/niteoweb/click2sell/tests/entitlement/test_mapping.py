"""The product-to-group lines: what is read, and what is said about the rest."""

from hypothesis import example
from hypothesis import given
from hypothesis import strategies as st
from niteoweb.click2sell.entitlement import mapping
from niteoweb.click2sell.entitlement.mapping import Terms

import unittest


def errors(*lines: str) -> list[tuple[int, str]]:
    return [(error.line, error.reason) for error in mapping.parse(lines)[1]]


class TestParse(unittest.TestCase):
    def read(self, *lines: str) -> list[tuple]:
        found, wrong = mapping.parse(lines)
        self.assertEqual(wrong, ())
        return [(line.number, line.product_id, line.group_id, line.terms) for line in found]

    def test_nothing(self):
        for lines in (None, [], (), ["", "   ", "\t"]):
            with self.subTest(lines):
                self.assertEqual(mapping.parse(lines), ((), ()))

    def test_product_and_group(self):
        self.assertEqual(self.read("1|members"), [(1, "1", "members", Terms())])

    def test_spaces_around_the_parts_do_not_count(self):
        self.assertEqual(
            self.read("  1 |\tpaying members | 30 | exclusive \r"),
            [(1, "1", "paying members", Terms(30, True))],
        )

    def test_blank_lines_and_comments_are_counted_but_not_read(self):
        self.assertEqual(
            self.read("# PRODUCT|GROUP", "", "1|a", "  # 9|z", "2|b"),
            [(3, "1", "a", Terms()), (5, "2", "b", Terms())],
        )

    def test_a_hash_inside_a_line_is_no_comment(self):
        self.assertEqual(self.read("1|a # b"), [(1, "1", "a # b", Terms())])

    def test_days(self):
        for text, days in (("1", 1), ("0030", 30), ("36500", 36_500), ("", None)):
            with self.subTest(text):
                self.assertEqual(self.read(f"1|a|{text}")[0][3], Terms(days))

    def test_exclusive(self):
        self.assertEqual(self.read("1|a|30|exclusive")[0][3], Terms(30, True))
        self.assertEqual(self.read("1|a||exclusive")[0][3], Terms(None, True))
        self.assertEqual(self.read("1|a|30|")[0][3], Terms(30, False))

    def test_title_and_order_page(self):
        order = "https://shop.example/gold?a=b"
        for options, days in (
            (f"30|exclusive|title=Gold membership|order={order}", Terms(30, True)),
            (f"title= Gold membership |order= {order} ", Terms()),
            (f"7|title=Gold membership|order={order}", Terms(7)),
            (f"||title=Gold membership|order={order}", Terms()),
            (f"exclusive|title=Gold membership|order={order}", Terms(None, True)),
        ):
            with self.subTest(options):
                (line,), wrong = mapping.parse([f"1|a|{options}"])
                self.assertEqual(wrong, ())
                self.assertEqual(
                    (line.terms, line.title, line.order_page), (days, "Gold membership", order)
                )
        (line,), _ = mapping.parse(["1|a|title=|order="])
        self.assertEqual((line.title, line.order_page), ("", ""))

    def test_a_title_and_an_order_page_count_for_all_lines_of_a_product(self):
        page = "https://shop.example/"
        lines, _ = mapping.parse(["alias|a|title=Alias", "1|a", f"1|b|title=Gold|order={page}"])
        self.assertEqual(mapping.title(lines, ("", "1"), {"alias"}), "Gold")
        self.assertEqual(mapping.title(lines, ("", "2"), {"alias"}), "Alias")
        self.assertEqual(mapping.order_page(lines, ("", "1")), page)
        self.assertEqual(mapping.order_page(lines, ("", "alias")), "")
        self.assertEqual(mapping.title(lines, ("other", "1")), "")

    def test_a_product_in_several_lines_and_a_group_of_several_products(self):
        found, _ = mapping.parse(["1|a|30", "2|a", "1|b|30", "3|c"])
        self.assertEqual(mapping.groups(found, ("", "1")), ("a", "b"))
        self.assertEqual(mapping.groups(found, ("", "2")), ("a",))
        self.assertEqual(mapping.groups(found, ("", "9")), ())
        self.assertEqual(mapping.terms(found, ("", "1")), Terms(30))
        self.assertEqual(mapping.terms(found, ("", "2")), Terms())
        self.assertIsNone(mapping.terms(found, ("", "9")))

    def test_products_of_two_providers_may_have_one_id(self):
        found = [*mapping.parse(["1|a|30"], "one")[0], *mapping.parse(["1|b"], "two")[0]]
        self.assertEqual(mapping.groups(found, ("one", "1")), ("a",))
        self.assertEqual(mapping.groups(found, ("two", "1")), ("b",))
        self.assertEqual(mapping.terms(found, ("two", "1")), Terms())
        self.assertEqual(mapping.groups(found, ("", "1")), ())

    def test_a_line_may_name_a_product_by_another_id(self):
        found, _ = mapping.parse(["right|a|7", "offer|b|30", "other|a"], "one")
        product, aliases = ("one", "offer"), {"right", "other"}
        self.assertEqual(mapping.groups(found, product, aliases), ("a", "b"))
        self.assertEqual(mapping.groups(found, product), ("b",))
        self.assertEqual(mapping.terms(found, product, aliases), Terms(30))
        self.assertEqual(mapping.terms(found, ("one", "x"), {"right"}), Terms(7))
        self.assertIsNone(mapping.terms(found, ("two", "offer"), aliases))

    def test_ids_are_compared_exactly(self):
        self.assertEqual(errors("a|g|1", "A|g|2", "a|G|1"), [])


class TestErrors(unittest.TestCase):
    def test_form(self):
        for line in ("1", "members", "1;members"):
            with self.subTest(line):
                self.assertEqual(errors(line), [(1, "form")])

    def test_product(self):
        self.assertEqual(errors("|members"), [(1, "product")])
        self.assertEqual(errors(" | "), [(1, "product")])
        self.assertEqual(errors("||||"), [(1, "product")])

    def test_group(self):
        self.assertEqual(errors("1|"), [(1, "group")])
        self.assertEqual(errors("1| |30"), [(1, "group")])

    def test_days(self):
        for days in (
            "0",
            "-1",
            "1.5",
            "36501",
            "100000",
            "thirty",
            "30 days",
            "٣",
            "+3",
            "1e2",
        ):
            with self.subTest(days):
                self.assertEqual(errors(f"1|a|{days}"), [(1, "days")])

    def test_option(self):
        for option in ("Exclusive", "yes", "30"):
            with self.subTest(option):
                self.assertEqual(errors(f"1|a|30|{option}"), [(1, "option")])

    def test_options_out_of_order(self):
        for options in (
            "30|exclusive|more",
            "exclusive|30",
            "title=A|30",
            "order=https://shop.example/|title=A",
            "title=A|title=A",
            "30|Title=A",
        ):
            with self.subTest(options):
                self.assertEqual(errors(f"1|a|{options}"), [(1, "option")])

    def test_order_page(self):
        for address in (
            "/gold",
            "shop.example/gold",
            "javascript:alert(1)",
            "ftp://shop.example/",
            "https://",
            "https://[",
            "https://shop.example/a b",
        ):
            with self.subTest(address):
                self.assertEqual(errors(f"1|a|order={address}"), [(1, "order")])

    def test_another_title_or_order_page_of_the_same_product(self):
        self.assertEqual(errors("1|a|title=A", "1|b", "1|c|title=B"), [(3, "title")])
        one, other = "order=https://shop.example/1", "order=https://shop.example/2"
        self.assertEqual(errors(f"1|a|{one}", f"1|b|{other}"), [(2, "page")])
        self.assertEqual(errors(f"1|a|title=A|{one}", f"1|b|{one}", "2|a|title=A"), [])

    def test_twice(self):
        self.assertEqual(errors("1|a", "2|a", "1|a"), [(3, "twice")])
        self.assertEqual(errors("1|a", "1|b", "1|a|30"), [(3, "twice")])

    def test_terms(self):
        self.assertEqual(errors("1|a|30", "1|b"), [(2, "terms")])
        self.assertEqual(errors("1|a|30", "1|b|31"), [(2, "terms")])
        self.assertEqual(errors("1|a|30", "1|b|30|exclusive"), [(2, "terms")])

    def test_each_error_has_its_line_and_hides_no_other_line(self):
        found, wrong = mapping.parse(["# start", "1", "2|b", "", "|c", "3|d|x", "4|e"])
        self.assertEqual([(line.number, line.group_id) for line in found], [(3, "b"), (7, "e")])
        self.assertEqual(
            [str(error) for error in wrong],
            [
                "Line 2: expected PRODUCT_ID|GROUP_ID",
                "Line 5: the product id is missing",
                "Line 6: the days of access must be a whole number from 1 to 36500",
            ],
        )

    def test_a_broken_line_does_not_count_as_an_earlier_one(self):
        self.assertEqual(errors("1|a|x", "1|a|30"), [(1, "days")])

    def test_every_reason_has_a_text(self):
        for reason, text in mapping.REASONS.items():
            with self.subTest(reason):
                self.assertEqual(str(mapping.MappingError(7, reason)), f"Line 7: {text}")


PART = st.one_of(
    st.text(max_size=8),
    st.sampled_from(
        [
            "",
            "1",
            "a",
            "30",
            "36501",
            "exclusive",
            "#",
            "²",
            "title=A",
            "order=http://a",
            "order=a",
        ]
    ),
)
LINE = st.one_of(st.text(), st.lists(PART, max_size=6).map("|".join))


class TestAnyLines(unittest.TestCase):
    @given(st.lists(LINE, max_size=8))
    @example(["1|a|²"])
    @example(["1|a|" + "9" * 5000])
    def test_never_raises_and_accounts_for_every_line(self, lines):
        found, wrong = mapping.parse(lines)
        numbers = sorted([line.number for line in found] + [error.line for error in wrong])
        self.assertEqual(
            numbers,
            [
                number
                for number, line in enumerate(lines, start=1)
                if line.strip() and not line.strip().startswith("#")
            ],
        )
        for line in found:
            self.assertTrue(line.product_id)
            self.assertTrue(line.group_id)
            # All lines of a product agree, so it does not matter which one is asked.
            self.assertEqual(mapping.terms(found, ("", line.product_id)), line.terms)
            self.assertIn(line.group_id, mapping.groups(found, ("", line.product_id)))
