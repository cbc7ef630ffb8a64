"""The link to a provider's order page, with a token for the member who follows it."""

from niteoweb.click2sell import timestamps
from niteoweb.click2sell.browser.buyer.mypurchases import member_id
from niteoweb.click2sell.provider import registry
from niteoweb.click2sell.settings import membertoken
from niteoweb.click2sell.settings import products
from Products.Five.browser import BrowserView
from urllib.parse import urlencode
from urllib.parse import urlsplit
from zExceptions import NotFound


class OrderLinkView(BrowserView):
    """``@@click2sell-order?product=ID``: sends the visitor to the product's order page."""

    def __call__(self) -> str:
        # Named twice it is a list, which is no product.
        product_id = str(self.request.form.get("product", ""))
        url = products.order_page(registry.MAIN, product_id)
        if not url:
            raise NotFound
        user_id = member_id(self.context)
        token = user_id and membertoken.issue(self.context, user_id, timestamps.now())
        if token:
            parts = urlsplit(url)
            query = urlencode({registry.main().member_parameter: token})
            url = parts._replace(query="&".join(filter(None, (parts.query, query)))).geturl()
        response = self.request.response
        response.setHeader("Referrer-Policy", "no-referrer")
        response.redirect(url)
        return ""
