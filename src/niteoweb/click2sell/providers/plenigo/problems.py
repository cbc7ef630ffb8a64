"""The errors of selling as answers: a status, a name for programs and words for people."""

from collections.abc import Mapping
from dataclasses import dataclass
from niteoweb.click2sell import _
from niteoweb.click2sell.member import privilege
from niteoweb.click2sell.provider import Refused
from niteoweb.click2sell.provider import Rejected
from niteoweb.click2sell.provider import Unreachable
from niteoweb.click2sell.providers.plenigo import checkout
from niteoweb.click2sell.providers.plenigo import login
from niteoweb.click2sell.providers.plenigo import proof
from niteoweb.click2sell.providers.plenigo import sessions
from niteoweb.click2sell.providers.plenigo import shop
from niteoweb.click2sell.providers.plenigo import subscriptions
from niteoweb.click2sell.providers.plenigo import tie
from niteoweb.click2sell.providers.plenigo import vouchers
from niteoweb.click2sell.provisioning import TooMany
from niteoweb.click2sell.storage import transactions
from plone import api
from zope.i18nmessageid import Message


#: Seconds after which to try again.
RETRY_AFTER = 60

_AWAY = _("plenigo cannot be reached at the moment. Try again in a minute.")
_NOT_NOW = _("This cannot be bought at the moment.")
_TOO_LONG = _(
    "Nothing can be bought here: the address of the checkout would have more than ${number} "
    "characters, and plenigo leads no buyer back to it. Give the site a shorter address. "
    "Buyers only read that it cannot be bought at the moment.",
    mapping={"number": checkout.LONGEST_URL},
)
#: Codes of plenigo, and what they mean for a buyer.
_CODES = {
    90039: _("You have this already."),
    90040: _("You have this already."),
    90072: _("This is sold out."),
}


@dataclass(frozen=True)
class Problem:
    """An error as an answer.

    :ivar kind: for programs.
    :ivar code: plenigo's, 0 for none.
    :ivar retry_after: seconds, 0 where it makes no sense to try again.
    """

    status: int
    kind: str
    text: Message
    code: int = 0
    retry_after: int = 0


_ELSEWHERE = _("This subscription is managed elsewhere. Cancel it where you bought it.")
_NOT_HERE = _("This subscription cannot be changed here. Ask the site's owner.")
#: Errors that have one answer each.
_PLAIN: Mapping[type[Exception], Problem] = {
    checkout.AddressTooLong: Problem(503, "AddressTooLong", _NOT_NOW),
    checkout.NotSold: Problem(404, "NotFound", _("This is not sold here.")),
    checkout.NotSetUp: Problem(
        503,
        "NotSetUp",
        _("This is not set up on the site yet, or the site is a copy."),
        retry_after=RETRY_AFTER,
    ),
    login.NotProved: Problem(
        403,
        "NotProved",
        _(
            "You could not be logged in. Log in again. If you have bought something here, "
            "ask the site's owner whether your account is connected."
        ),
    ),
    proof.NoLink: Problem(
        404,
        "NoLink",
        _("This link has expired, was used already, or belongs to another account."),
    ),
    sessions.SessionLimit: Problem(
        409, "SessionLimit", _("You are logged in at plenigo elsewhere. Log out there first.")
    ),
    shop.AddressTaken: Problem(
        409,
        "AddressTaken",
        _("Show first that your e-mail address is yours: have a link sent to it."),
    ),
    subscriptions.NotTheirs: Problem(404, "NotFound", _("You have no such subscription.")),
    tie.NoCustomer: Problem(
        404, "NoCustomer", _("You have not bought anything from plenigo with this account.")
    ),
    tie.NotForOwners: Problem(
        403,
        "NotForOwners",
        _(
            "You cannot buy with an account that can administer the site or that has no e-mail "
            "address. Please use a different account."
        ),
    ),
    TooMany: Problem(
        429,
        "TooMany",
        _("You have tried this too often. Try again in a few minutes."),
        retry_after=RETRY_AFTER,
    ),
    vouchers.CannotRedeem: Problem(422, "CannotRedeem", _("This code cannot be redeemed.")),
    vouchers.Unanswered: Problem(
        503,
        "Unanswered",
        _("plenigo has not answered. Check My purchases before you try again."),
        retry_after=RETRY_AFTER,
    ),
}

#: What plenigo's pages and services can raise, besides what nobody has thought of.
ERRORS = (*_PLAIN, subscriptions.NotPossible, Refused, Unreachable, transactions.Busy)


def of(error: Exception) -> Problem:
    """The answer for one of :data:`ERRORS`; nothing of plenigo's own words is in it."""
    may_configure = api.user.has_permission(privilege.CONFIGURE)
    if isinstance(error, checkout.AddressTooLong) and may_configure:
        return Problem(503, "AddressTooLong", _TOO_LONG)
    plain = _PLAIN.get(type(error))
    if plain is not None:
        return plain
    if isinstance(error, subscriptions.NotPossible):
        text = _ELSEWHERE if error.code == subscriptions.MANAGED_ELSEWHERE else _NOT_HERE
        return Problem(409, "NotPossible", text, error.code)
    if isinstance(error, Rejected):
        return Problem(422, "Rejected", _CODES.get(error.code, _NOT_NOW), error.code)
    if isinstance(error, Refused):
        return Problem(422, "Rejected", _NOT_NOW)
    return Problem(503, "Unreachable", _AWAY, retry_after=RETRY_AFTER)
