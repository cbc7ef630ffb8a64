"""Limits of how often plenigo's pages and services may be asked, as the documentation has them.

What has to hold for all processes together is written down instead: checkouts, see
:mod:`.checkout`, and mails with a link, see :mod:`.proof`.
"""

from niteoweb.click2sell.provisioning import rates


MEMBER = rates.Rate("Pages and services of a member", 60)
LOGINS = rates.AddressRate("Proofs of who logs in, from one address", 10)
VOUCHERS = rates.Rate("Codes of vouchers, of a member", 10, rates.LONGEST)
VOUCHERS_OF_ALL = rates.Rate("Codes of vouchers, of all members", 60)
APPS = rates.AddressRate("Calls of apps, from one address", 10)
APP_PURCHASES = rates.Rate("Purchases that apps hand in, of all", 60)
ACCESS_BY_RIGHTS = rates.Rate("Questions that name rights, of a member", 60)
ACCESS_BY_SESSION = rates.AddressRate("Questions with a session, from one address", 60)
