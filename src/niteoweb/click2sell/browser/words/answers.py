"""Answers: texts for a buyer who asks the owner "I paid, why can't I get in?"."""

from niteoweb.click2sell import _
from niteoweb.click2sell import site as plone_site
from niteoweb.click2sell.browser.words import formatting
from niteoweb.click2sell.entitlement import Reason
from niteoweb.click2sell.explain import explanation
from niteoweb.click2sell.member import accounts
from zope.i18nmessageid import Message


_OUR_FAULT = _(
    "Your payment has arrived. Something on our side kept you out, and we are putting it "
    "right. Please try again in a few minutes."
)
_CONFIRM = _(
    "Your payment has arrived. To protect your account, please open the link in the mail that "
    "we sent to ${address}: it connects your purchase with your account."
)
_REFUNDED = _(
    "Your purchase of ${product} was refunded on ${time}, so your access ended. You are "
    "welcome to buy again at any time."
)
_CHARGED_BACK = _(
    "Your payment for ${product} was charged back on ${time}, so your access ended. If that "
    "was a mistake, please contact us. You are welcome to buy again at any time."
)
_ENDED = _(
    "Your access to ${product} ended on ${time}. You are welcome to renew it at any time."
)
_LOG_IN = _(
    "You have access. Please log in at ${url} with the login name ${login}. If you do not know "
    'your password, use "Get help" there.'
)
_NOT_FOUND = _(
    "We have not received a payment under this address. Did you pay with another one? Please "
    "send us the number of your receipt."
)

#: Obstacles and their answers; those without one are on our side.
_TEXTS = {
    "no purchase": _NOT_FOUND,
    "refunded": _REFUNDED,
    "charged back": _CHARGED_BACK,
    **dict.fromkeys(("cancelled", "not renewed", "over", "ended"), _ENDED),
    **dict.fromkeys(
        (
            *("no mail", "mail waiting", "mail server away", "mail failing", "mail dropped"),
            "never logged in",
        ),
        _LOG_IN,
    ),
}
_TO_CONFIRM = frozenset({Reason.ACCOUNT_NOT_CERTAIN, Reason.SEVERAL_ACCOUNTS})


def text(explained: explanation.Explanation, user_id: str) -> str:
    """The answer to a buyer, in the reader's language; "" where the owner has to find words.

    :param user_id: of the account, "" for none.
    """
    obstacle = explained.obstacle
    if obstacle is None:
        answer = _LOG_IN if any(one.access for one in explained.standings) else ""
    elif obstacle.reason in _TO_CONFIRM:
        answer = _CONFIRM
    elif obstacle.code in ("erased", "not begun", "suspended", "account privileged"):
        answer = ""
    else:
        answer = _TEXTS.get(obstacle.code, _OUR_FAULT)
    if not answer:
        return ""
    names = {
        "address": explained.addresses[0],
        "product": obstacle.subject if obstacle is not None else "",
        "time": plone_site.shown(obstacle.at, long=False) if obstacle and obstacle.at else "",
        "url": f"{plone_site.address()}/login",
        "login": accounts.login_name(user_id) if user_id else "",
    }
    hello = _("Hello ${name},", mapping={"name": explained.name or explained.addresses[0]})
    body = formatting.translated(Message(answer, mapping=names))
    return f"{formatting.translated(hello)}\n\n{body}"
