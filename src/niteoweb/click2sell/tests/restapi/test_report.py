"""The report as a service of plone.restapi, over real HTTP."""

from niteoweb.click2sell.ledger import counters
from niteoweb.click2sell.ledger import entries
from niteoweb.click2sell.ledger import ledger
from niteoweb.click2sell.ledger import Outcome
from niteoweb.click2sell.provisioning import pipeline
from niteoweb.click2sell.report import overview
from niteoweb.click2sell.tests.cases.services import MAY
from niteoweb.click2sell.tests.cases.services import MAY_NOT
from niteoweb.click2sell.tests.cases.services import ServiceTestCase
from niteoweb.click2sell.tests.cases.site import EMAIL
from niteoweb.click2sell.tests.cases.sweeps import at

import transaction


class TestReport(ServiceTestCase):
    def setUp(self):
        super().setUp()
        self.url = f"{self.portal.absolute_url()}/@click2sell-report"

    def test_everything(self):
        self.buy()
        self.later(hours=1)
        found = self.get().json()
        numbers = {**dict.fromkeys(counters.NAMES, 0), "new_buyers": 1, "purchases": 1}
        self.assertEqual(found["figures"][-1], {"day": "2026-05-03", **numbers})
        self.assertEqual(found["totals"], numbers)
        self.assertEqual(len(found["figures"]), 30)
        self.assertEqual((found["failed"], found["needs_attention"]), (0, 0))
        self.assertEqual(found["members_with_access"], 1)
        self.assertEqual(len(found["members_by_month"]), 12)
        self.assertEqual(
            found["members_by_month"][-1],
            {"month": "2026-05", "members": 1, "could_renew": 0, "ended": 0},
        )
        self.assertEqual(
            found["products"],
            [
                {
                    "provider": "click2sell",
                    "product_id": "1",
                    "product_name": "Test Product",
                    "members": 1,
                }
            ],
        )
        self.assertEqual(found["never_logged_in"]["items_total"], 1)
        self.assertEqual(found["never_logged_in"]["items"][0]["user_id"], EMAIL)
        self.assertEqual(found["mails_failed"]["items"], [])
        self.assertEqual(
            found["providers"],
            [
                {
                    "provider": "click2sell",
                    "last_notification_at": "2026-05-03T18:00:00.000000+00:00",
                    "seconds_since": 3600,
                    "usual_seconds": None,
                    "unusually_silent": False,
                }
            ],
        )

    def test_what_needs_somebody_is_what_the_overview_counts(self):
        self.buy()
        self.buy(buyer_email="else@example.org")
        self.buy_again(2, transaction_type="Gift")
        with at("before plan", RuntimeError()), self.assertRaises(pipeline.Failed):
            self.buy_again(3)
        found = self.get().json()
        self.assertEqual((found["failed"], found["needs_attention"]), (1, 3))
        refused = next(iter(ledger.filed(self.portal, outcome=Outcome.REFUSED)))
        ledger.dismiss(self.portal, entries.at(self.portal, refused))
        transaction.commit()
        self.assertEqual(self.get().json()["needs_attention"], 2)

    def test_silence(self):
        for number in range(3):
            self.buy_again(number, buyer_email=f"b{number}@example.org")
            self.later(hours=1)
        self.later(hours=24)
        (provider,) = self.get().json()["providers"]
        self.assertEqual(provider["usual_seconds"], 24 * 3600)
        self.assertTrue(provider["unusually_silent"])

    def test_a_renewal_that_did_not_come(self):
        self.settings(mapping=["1|premium|30"])
        self.buy(transaction_type="Subscription", subscription_status="New")
        self.later(days=31)
        self.assertEqual(
            self.get().json()["renewals_missing"],
            {
                "items": [
                    {
                        "user_id": EMAIL,
                        "buyer": EMAIL,
                        "provider": "click2sell",
                        "product_id": "1",
                        "expected_at": "2026-06-02T10:20:30.000000+00:00",
                        "access": True,
                    }
                ],
                "items_total": 1,
                "items_total_capped": False,
            },
        )

    def test_ranges(self):
        for unit, number in overview.CHOICES:
            answer = self.get(**{f"{unit}s": str(number)}).json()
            self.assertEqual(len(answer["figures"]), number)
            self.assertTrue(answer["@id"].endswith(f"@click2sell-report?{unit}s={number}"))

    def test_ranges_that_there_are_not(self):
        for query in ({"days": "31"}, {"months": ""}, {"days": "30", "months": "12"}):
            with self.subTest(query):
                answer = self.get(**query)
                self.assertEqual(answer.status_code, 400)
                self.assertIn("days=30, days=90, months=12", answer.json()["message"])

    def test_empty(self):
        found = self.get().json()
        self.assertEqual(found["totals"], dict.fromkeys(counters.NAMES, 0))
        self.assertEqual((found["providers"], found["products"]), ([], []))

    def test_who(self):
        for who in MAY:
            self.assertEqual(self.get(auth=who).status_code, 200)
        for who in MAY_NOT:
            self.assertEqual(self.get(auth=who).status_code, 401)
