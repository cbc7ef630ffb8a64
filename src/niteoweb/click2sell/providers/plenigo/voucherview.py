"""``@@plenigo-voucher``: redeem the code of a voucher."""

from niteoweb.click2sell import _
from niteoweb.click2sell.providers.plenigo import checkout
from niteoweb.click2sell.providers.plenigo import protocol
from niteoweb.click2sell.providers.plenigo import vouchers
from niteoweb.click2sell.providers.plenigo.memberview import MemberView
from niteoweb.click2sell.settings import products
from plone.protect.authenticator import check
from Products.Five.browser.pagetemplatefile import ViewPageTemplateFile


class VoucherView(MemberView):
    """Shows by a POST the purchase that a code is for, and redeems it by the next.

    An offer that costs something leads on to the checkout.
    """

    template = ViewPageTemplateFile("templates/voucher.pt")
    title = _("Redeem a voucher")
    name = "@@plenigo-voucher"
    step = "form"
    code = ""
    offer = ""

    def _answer(self) -> str:
        checkout.ready(writes=False)
        if self.request.method != "POST":
            return self.template()
        check(self.request)
        self.code = self.text("code")
        if not self.text("redeem"):
            id_ = vouchers.offer_of(self.user_id, self.code)
            self.presented, _bonuses = checkout.presentation(self.stored, id_)
            self.offer = self.presented.title or products.title(protocol.NAME, id_)
            self.step = "offer"
            return self.template()
        redeemed = vouchers.redeem(self.user_id, self.request.environ, self.code)
        if isinstance(redeemed, checkout.Checkout):
            url = checkout.page_url(redeemed.id)
            return self.request.response.redirect(url, status=303)
        self.step = "done"
        return self.template()
