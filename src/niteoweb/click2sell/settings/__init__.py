"""Settings: rules for the values that a form may save, secret keys, tokens and networks."""

from niteoweb.click2sell.settings import apitoken
from niteoweb.click2sell.settings import effective
from niteoweb.click2sell.settings import membertoken
from niteoweb.click2sell.settings import networks
from niteoweb.click2sell.settings import orderlinks
from niteoweb.click2sell.settings import ownaddress
from niteoweb.click2sell.settings import products
from niteoweb.click2sell.settings import rules
from niteoweb.click2sell.settings import secretkeys


__all__ = [
    *["apitoken", "effective", "membertoken", "networks", "orderlinks", "ownaddress"],
    *["products", "rules", "secretkeys"],
]
