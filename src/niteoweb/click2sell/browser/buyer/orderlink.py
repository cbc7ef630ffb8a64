"""The link to a provider's order page, with a token for the member who follows it."""

from niteoweb.click2sell import timestamps
from niteoweb.click2sell.member import visitor
from niteoweb.click2sell.provider import registry
from niteoweb.click2sell.settings import membertoken
from niteoweb.click2sell.settings import products
from plone import api
from Products.Five.browser import BrowserView
from urllib.parse import urlencode
from urllib.parse import urlsplit
from zExceptions import NotFound


class OrderLinkView(BrowserView):
    """``@@click2sell-order?product=ID``: sends the visitor to the product's order page.

    ``provider=NAME`` names the provider of the product, if it is not Click2Sell.
    """

    def __call__(self) -> str:
        # Named twice it is a list, which is no product.
        name = str(self.request.form.get("provider", registry.MAIN))
        product_id = str(self.request.form.get("product", ""))
        seller = registry.get(name)
        url = products.order_page(name, product_id) if seller is not None else ""
        if not url:
            raise NotFound
        user_id = visitor.member_id(self.context) if seller.member_parameter else ""
        token = user_id and membertoken.issue(self.context, user_id, timestamps.now())
        if token:
            parts = urlsplit(url)
            email = api.user.get_current().getProperty("email", "")
            known = {seller.member_parameter: token, seller.email_parameter: email}
            query = urlencode({name: value for name, value in known.items() if name and value})
            url = parts._replace(query="&".join(filter(None, (parts.query, query)))).geturl()
        response = self.request.response
        response.setHeader("Referrer-Policy", "no-referrer")
        response.redirect(url)
        return ""
