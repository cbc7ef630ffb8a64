"""plenigo: the offers that a site sells, and the purchases that are prepared."""

from decimal import Decimal
from niteoweb.click2sell.interfaces import IPlenigoSettings
from niteoweb.click2sell.providers.plenigo import offers
from zope.i18n import translate
from zope.schema.interfaces import ValidationError

import unittest


PAPER = "O_PAPER|product=P_PAPER tax=DIGITALNEWSPAPER currency=EUR"
EXTRA = "O_EXTRA0000000000001|multiple|net|bonus=BO_A,BO_B"


class TestLines(unittest.TestCase):
    def test_all_options(self):
        found = offers.parse(["", "O_1", EXTRA, "O_3 | variant=v-1", "SC_1", PAPER])
        self.assertEqual(found["O_1"], offers.Offer("O_1"))
        extra = offers.Offer("O_EXTRA0000000000001", True, True, ("BO_A", "BO_B"))
        self.assertEqual(found["O_EXTRA0000000000001"], extra)
        self.assertEqual(found["O_3"].variant, "v-1")
        own_data = offers.OwnData("P_PAPER", "DIGITALNEWSPAPER", "EUR")
        self.assertEqual(found["O_PAPER"].own_data, own_data)
        self.assertTrue(found["SC_1"].is_cart)

    def test_lines_that_cannot_be_read(self):
        for line in (
            *("offer", "O_", "O_1|quantity=3", "O_1|net|net", "O_1|net=1", "O_1|bonus=x"),
            *("O_1|product=P_1", "O_1|product=P_1 tax=A currency=eur", "O_1|variant="),
            *("SC_1|product=P_1 tax=A currency=EUR", "O_1|product=O_1 tax=A currency=EUR"),
            *("SC_1|bonus=BO_A", "SC_1|variant=1", "O_1|variant=a b", "O_7"),
        ):
            with self.subTest(line), self.assertRaises(offers.OfferError) as caught:
                offers.parse(["O_7", line])
            self.assertEqual(caught.exception.number, 2)

    def test_the_setting_takes_what_can_be_read_and_names_other_lines(self):
        field = IPlenigoSettings["offers"]
        for line in ("", "O_1", EXTRA, "O_3|variant=v-1", "SC_1", PAPER):
            with self.subTest(line):
                self.assertIsNone(field.validate([line]))
        for line in ("offer", "O_1|quantity=3", "O_1|product=P_1", "O_1|variant=a b"):
            with self.subTest(line), self.assertRaises(ValidationError) as caught:
                field.validate(["O_1", line])
            expected = f"This has to be an OFFER_ID with its options: {line}"
            self.assertEqual(translate(caught.exception.doc()), expected)


class TestPurchase(unittest.TestCase):
    def purchase(self, line="O_1", voucher="", bonus="", came_from="", single=None, **source):
        (offer,) = offers.parse([line]).values() if not voucher else [None]
        names = ("upscore_object_id", "missing")
        return offers.purchase(offer, voucher, bonus, came_from, source, names, single)

    def test_an_offer_is_one_piece_and_nothing_else(self):
        item = {"plenigoOfferId": "O_1", "quantity": 1}
        self.assertEqual(self.purchase(), {"items": [item]})

    def test_options(self):
        found = self.purchase(EXTRA, bonus="BO_A")
        self.assertEqual(found["items"][0]["plenigoBonusIds"], ["BO_A"])
        self.assertTrue(found["allowMultiplePurchases"] and found["showNetPrices"])
        self.assertEqual(self.purchase("O_1|variant=v1")["variantUniqueId"], "v1")

    def test_a_page_says_what_is_sold(self):
        single = offers.Single("paper-1", "x" * 300, Decimal("4.50"), "paper-1")
        (item,) = self.purchase(PAPER, single=single)["items"]
        self.assertEqual(
            item,
            {
                "plenigoOfferId": "O_PAPER",
                "quantity": 1,
                "title": "x" * 100,
                "products": [
                    {
                        "plenigoProductId": "P_PAPER",
                        "productId": "paper-1",
                        "title": "x" * 100,
                        "price": 4.5,
                        "currency": "EUR",
                        "taxType": "DIGITALNEWSPAPER",
                        "accessRightUniqueId": "paper-1",
                    }
                ],
            },
        )
        # Any other offer says itself what it sells.
        self.assertNotIn("products", self.purchase(single=single)["items"][0])

    def test_a_cart_or_a_voucher_alone(self):
        self.assertEqual(self.purchase("SC_1"), {"basketId": "SC_1"})
        self.assertEqual(self.purchase(voucher="1234"), {"voucherCode": "1234"})

    def test_the_source_is_cut_and_of_known_names(self):
        source = {"utm_source": "x" * 300, "utm_campaign": "17", "evil": "1"}
        found = self.purchase(
            came_from="http://a/art", upscore_object_id="object_1", utm_term=7, **source
        )
        self.assertEqual(
            found["additionalData"],
            {
                "utm": {"source": "x" * 100, "campaign": "17"},
                "data": {"upscore_object_id": "object_1"},
                "sourceId": "http://a/art",
            },
        )
