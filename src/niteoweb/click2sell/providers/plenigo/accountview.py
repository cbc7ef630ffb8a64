"""``@@plenigo-account``: plenigo's self-service in a page of the site."""

from niteoweb.click2sell import _
from niteoweb.click2sell.providers.plenigo import checkout
from niteoweb.click2sell.providers.plenigo import tie
from niteoweb.click2sell.providers.plenigo.memberview import MemberView
from Products.Five.browser.pagetemplatefile import ViewPageTemplateFile


#: The pages of plenigo's self-service that can be opened alone, by plenigo's constants.
PAGES = frozenset(
    [
        *("PERSONAL_DATA", "PERSONAL_DATA_ADDRESS", "PERSONAL_DATA_SETTINGS", "ADDRESS_DATA"),
        *("ORDER", "INVOICE", "DASHBOARD", "SUBSCRIPTION", "PAYMENT_METHODS"),
        *("BILLING_ADDRESS_DATA", "DELIVERY_ADDRESS_DATA", "CREDIT_CARD", "BANK_ACCOUNT"),
        *("PERSONAL_DATA_PROTECTION", "TERMS_AND_CONDITIONS"),
    ]
)


class AccountView(MemberView):
    """Shows addresses, ways to pay, orders and invoices, which are plenigo's to change.

    The page holds no token: its script fetches one when plenigo's is there.
    """

    template = ViewPageTemplateFile("templates/account.pt")
    title = _("Your account at plenigo")
    name = "@@plenigo-account"
    script = "account.js"
    passed_on = ("page", "subscription")

    def _answer(self) -> str:
        checkout.ready(writes=False)
        tie.known(self.context, self.user_id)
        return self.template()

    @property
    def page(self) -> str:
        """The page that is opened, "" for the first."""
        page = self.text("page")
        return page if page in PAGES else ""

    @property
    def subscription(self) -> str:
        """Id of the subscription that is opened, "" for none."""
        id_ = self.text("subscription")
        return id_ if id_.isascii() and id_.isdecimal() and len(id_) < 20 else ""
