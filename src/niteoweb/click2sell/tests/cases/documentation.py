"""The documentation: its pages, and the site that its examples are sent to."""

from niteoweb.click2sell import site as plone_site
from niteoweb.click2sell.ledger import rejections
from niteoweb.click2sell.providers.click2sell.protocol import sign
from niteoweb.click2sell.testing.layers import HTTP
from niteoweb.click2sell.tests.cases import recording
from pathlib import Path
from plone import api
from Products.SiteAccess.VirtualHostMonster import manage_addVirtualHostMonster
from urllib.parse import urlencode

import transaction
import unittest


DOCS = Path(__file__).resolve().parents[5] / "docs"


#: The documentation prints it, so that the checksums can be computed by its readers.
SECRET_KEY = "an example of a secret key"


SALE = {
    "acquirer_transaction_id": "T-1001",
    "c2s_transaction_id": "R-2001",
    "transaction_type": "Sale",
    "payment_status": "OK",
    "purchase_date": "2025-03-01",
    "purchase_time": "10:20:30",
    "buyer_email": "john@example.com",
    "buyer_name": "John",
    "buyer_surname": "Smith",
    "buyer_country": "Slovenia",
    "product_id": "1",
    "product_name": "Basic membership",
    "product_price": "9.90 EUR",
    "affiliate_username": "partner",
}


with_docs = unittest.skipUnless(
    (DOCS / "index.rst").is_file(), "the documentation is not part of an installed package"
)


def form(**changes: str | None) -> bytes:
    """The body of a signed sale; None takes a parameter away."""
    values = {**SALE, **changes}
    values.setdefault("checksum", sign(SECRET_KEY, values["acquirer_transaction_id"]))
    sent = {name: value for name, value in values.items() if value is not None}
    return urlencode(sent, safe="@").encode("ascii")


def pages() -> dict[str, str]:
    """The pages of the documentation."""
    return {path.name: path.read_text("utf-8") for path in DOCS.glob("*.rst")}


class DocsHTTPTestCase(unittest.TestCase):
    """A site with a group, a mapping and a key; nothing is mailed."""

    layer = HTTP
    maxDiff = None

    def setUp(self):
        self.portal = self.layer["portal"]
        # Memory of the process, which other tests leave behind.
        rejections._tallies.clear()
        manage_addVirtualHostMonster(self.layer["app"], "virtual_hosting")
        api.group.create(groupname="basic-members")
        settings = plone_site.settings()
        settings.secretkey = SECRET_KEY
        settings.mapping = ["1|basic-members"]
        settings.welcome_mail = "none"
        transaction.commit()

    def send(self, request: str) -> str:
        """Send a request and return the answer."""
        address = (self.layer["host"], self.layer["port"])
        answer = recording.exchange(address, request)
        transaction.begin()
        return answer

    def post(self, body: bytes) -> str:
        return self.send(recording.request_text("POST", "/@@click2sell", body))

    def compare(self, status: int, request: str) -> str:
        """Make the exchange that the test is named after, and return the answer.

        ``test_NAME`` makes ``NAME-request.http`` and ``NAME-answer.http``.
        """
        name = self.id().rpartition(".test_")[2].replace("_", "-")
        answer = self.send(request)
        self.assertIn(f" {status} ", answer.partition("\r\n")[0], answer)
        for part, text in (("request", request), ("answer", answer)):
            recorded, shown = recording.differences(f"{name}-{part}", recording.readable(text))
            self.assertEqual(recorded, shown)
        return answer
