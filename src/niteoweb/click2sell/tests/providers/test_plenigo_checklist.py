"""plenigo: the items of the checklist for a site that sells with it."""

from niteoweb.click2sell.providers.plenigo.provider import PROVIDER
from niteoweb.click2sell.setup import providerchecks
from niteoweb.click2sell.setup import Status
from niteoweb.click2sell.tests.cases.buying import OFFER
from niteoweb.click2sell.tests.cases.buying import ShopTestCase


class TestItems(ShopTestCase):
    def items(self, connect=True):
        found = providerchecks.items(self.portal, PROVIDER, (), connect)
        return {one.name: one for one in found if one.name.startswith("plenigo_")}

    def states(self, **options):
        return {name[8:]: one.state for name, one in self.items(**options).items()}

    def test_a_site_that_sells(self):
        for id_ in (OFFER, "O_EXTRA", "SC_CART1"):
            self.fake.offers[id_] = ("Title", "")
        names = ("company", "rights", "offers")
        self.assertEqual(self.states(), dict.fromkeys(names, Status.OK))
        self.assertEqual(self.fake.asked, [])

    def test_nothing_is_asked_or_sold(self):
        self.assertEqual(self.states(connect=False), {"company": Status.OK})
        self.assertEqual(self.fake.requests, [])
        self.set(company_id="")
        self.assertEqual(self.states(connect=False), {"company": Status.TODO})
        self.set(offers=[])
        self.assertEqual(self.states(), {})

    def test_what_is_missing(self):
        self.fake.lacks = {"vouchers", "settings", "accessRights"}
        self.fake.offers[OFFER] = ("Title", "")
        found = self.items()
        self.assertEqual(found["plenigo_rights"].state, Status.TODO)
        lacking = ("ACCESS_RIGHTS", "VOUCHERS", "SETTINGS")
        self.assertEqual(found["plenigo_rights"].details, lacking)
        self.assertEqual(found["plenigo_offers"].state, Status.TODO)
        self.assertEqual(found["plenigo_offers"].details, ("O_EXTRA", "SC_CART1"))
        self.set(offers=[])
        self.assertEqual(self.states()["offers"], Status.TODO)

    def test_addresses_of_one_environment(self):
        self.set(api_url="https://api.plenigo-stage.com/api/v3.0")
        self.assertEqual(self.states(connect=False)["addresses"], Status.TODO)
        self.set(sdk_url="https://static.plenigo-stage.com/x.js", debug_mode=True)
        self.assertEqual(self.states(connect=False)["addresses"], Status.TODO)
        self.set(customer_api_url="https://customer-api.plenigo-stage.com/api/v1.0")
        self.assertEqual(self.states(connect=False), {"company": Status.OK})
        self.set(api_url="https://api.plenigo.com/api/v3.0", sdk_url="https://s.plenigo.com/x")
        self.assertEqual(self.states(connect=False)["debug_mode"], Status.WARNING)

    def test_logging_in_needs_an_address(self):
        self.set(login="id-system", offers=[], company_id="")
        self.assertEqual(self.states(connect=False), {"login": Status.WARNING})
        self.set(login_url="https://id.example.org/login")
        self.assertEqual(self.states(connect=False), {})
        self.set(login="plenigo", login_url="")
        self.assertEqual(self.states(connect=False), {"login": Status.WARNING})
        self.set(company_id="COMP")
        self.assertEqual(self.states(connect=False), {"company": Status.OK})

    def test_plenigo_is_away(self):
        self.fake.emergency = True
        self.assertEqual(self.states(), {"company": Status.OK})
        self.fake.emergency = False
        self.set(api_token=None)
        self.assertEqual(self.states(), {"company": Status.OK})
