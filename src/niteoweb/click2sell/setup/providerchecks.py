"""The part of the checklist about one payment provider."""

from collections.abc import Collection
from collections.abc import Iterator
from dataclasses import replace
from niteoweb.click2sell import _
from niteoweb.click2sell import timestamps
from niteoweb.click2sell.interfaces import IPaymentProvider
from niteoweb.click2sell.interfaces import SECRET_KEY_LENGTH
from niteoweb.click2sell.ledger import rejections
from niteoweb.click2sell.ledger import silence
from niteoweb.click2sell.provider import jsonapi
from niteoweb.click2sell.provider import Refused
from niteoweb.click2sell.provider import registry
from niteoweb.click2sell.provider import Unreachable
from niteoweb.click2sell.settings import apitoken
from niteoweb.click2sell.settings import effective
from niteoweb.click2sell.settings import secretkeys
from niteoweb.click2sell.setup.check import Check
from niteoweb.click2sell.setup.check import duration
from niteoweb.click2sell.setup.check import Status
from typing import Any
from zope.i18nmessageid import Message


#: Why notifications were refused, in words with the next step.
_REFUSED = {
    rejections.FORGED: _(
        "Refused, because the signature was wrong: ${number}. Nothing genuine has arrived "
        "since. If notifications are missing, compare the secret key with the one that "
        "${provider} shows for this address, and the clock of this server with the time."
    ),
    rejections.MODE: _(
        "Refused, because one side is in test mode and the other is not: ${number}. Nothing "
        "else has arrived since. Compare Test mode in the settings with the mode in which "
        "${provider} has this address."
    ),
}


def items(
    site: Any, provider: IPaymentProvider, silent: Collection[str], connect: bool = False
) -> tuple[Check, ...]:
    """The checks of a provider, in the order in which it is set up.

    :param silent: names of the providers that are silent for unusually long.
    :param connect: ask the provider, if it has an API, which may take a second.
    """
    checks = _checks(site, provider, silent, connect)
    return tuple(replace(check, provider=provider.name) for check in checks)


def _checks(
    site: Any, provider: IPaymentProvider, silent: Collection[str], connect: bool
) -> Iterator[Check]:
    if not registry.is_enabled(provider):
        text = _(
            "It is switched off: the address for the notifications does not exist. Switch it "
            "on in the settings when the rest is done."
        )
        yield Check("enabled", Status.TODO, _("Switched on"), text)
    if provider.poll is None or secretkeys.is_set(provider):
        yield _secret_key(site, provider)
    yield from _previous_key(site, provider)
    yield _mapping(provider)
    if provider.client is not None:
        yield _api(provider, connect)
    yield from provider.checks(registry.settings(provider), connect)
    yield from _refused(site, provider)
    if provider.poll is None:
        yield _last_notification(site, provider, silent)
    else:
        yield _last_asked(site, provider, silent)


def _secret_key(site: Any, provider: IPaymentProvider) -> Check:
    notice = secretkeys.notice(site, provider)
    state = {"danger": Status.TODO, "warning": Status.WARNING}.get(notice.level, Status.OK)
    text = {
        Status.OK: _("A secret key is set, and it is long enough."),
        Status.WARNING: _(
            "The secret key has fewer than ${length} characters. Whoever sees one notification "
            "can find it by trying: choose a longer one, at ${provider} and here.",
            mapping={"length": SECRET_KEY_LENGTH, "provider": provider.title},
        ),
    }.get(state, notice.text)
    title = _("Secret key")
    return Check("secret_key", state, title, text, moment=notice.last_used)


def _previous_key(site: Any, provider: IPaymentProvider) -> Iterator[Check]:
    notice = secretkeys.previous_notice(site, provider)
    if notice is not None:
        state = {"success": Status.TODO, "warning": Status.WARNING}.get(notice.level, Status.OK)
        yield Check(
            "previous_secret_key",
            state,
            _("Previous secret key"),
            notice.text,
            moment=notice.last_used,
        )


def _mapping(provider: IPaymentProvider) -> Check:
    title = _("Products")
    lines = effective.lines(provider)
    if not lines:
        text = _("No product gives a group yet. Add one under Products and groups.")
        return Check("mapping", Status.TODO, title, text)
    number = len({line.product_id for line in lines})
    text = _("Products that give a group: ${number}", mapping={"number": number})
    return Check("mapping", Status.OK, title, text)


def _api(provider: IPaymentProvider, connect: bool) -> Check:
    """Whether the provider's API can be asked."""
    title, names = _("API"), {"provider": provider.title}
    if not apitoken.is_set(provider) and provider.poll is not None:
        text = _("No token is set, so ${provider} is asked nothing.", mapping=names)
        return Check("api", Status.TODO, title, text)
    if not apitoken.is_set(provider):
        text = _(
            "No token is set, so ${provider} cannot be asked for what its notifications leave "
            "open. Those need attention.",
            mapping=names,
        )
        return Check("api", Status.WARNING, title, text)
    probe = getattr(provider.client, "probe", None)
    if probe is None or not connect:
        text = _("A token is set. Whether ${provider} answers is not tried yet.", mapping=names)
        return Check("api", Status.UNTRIED, title, text)
    try:
        with jsonapi.within(jsonapi.REQUEST):
            probe(registry.settings(provider))
    except jsonapi.NoAnswer:
        text = _(
            "${provider} has not answered within a second. Notifications that need an answer "
            "wait: the site goes on asking in the background. Nothing else waits for it: pages "
            "and the sales of other providers go on.",
            mapping=names,
        )
        return Check("api", Status.TODO, title, text)
    except (Unreachable, Refused) as error:
        text = _(
            "${provider} cannot be asked: ${error}. Look at the address and the token in the "
            "settings. Notifications that need an answer wait.",
            mapping={**names, "error": str(error)},
        )
        return Check("api", Status.TODO, title, text)
    text = _("${provider} answers, and takes the token.", mapping=names)
    return Check("api", Status.OK, title, text)


def _refused(site: Any, provider: IPaymentProvider) -> Iterator[Check]:
    """Whether a setting keeps out what the provider sends; somebody else may have sent it."""
    heard = next(iter(silence.arrivals(site, provider.name)), None)
    for why, message in _REFUSED.items():
        counter = rejections.of(provider.name, why)
        number, last = rejections.total(site, counter), rejections.last(site, counter)
        if number and last is not None and (heard is None or heard <= last):
            names = {"number": number, "provider": provider.title}
            text = Message(message, mapping=names)
            title = _("Refused notifications")
            yield Check(f"refused_{why}", Status.WARNING, title, text, moment=last)


def _last_notification(site: Any, provider: IPaymentProvider, silent: Collection[str]) -> Check:
    title, names = _("Notifications"), {"provider": provider.title}
    last = next(iter(silence.arrivals(site, provider.name)), None)
    if last is None:
        state = Status.TODO
        text = _(
            "No genuine notification has arrived yet. Enter the address for the notifications "
            "at ${provider}, and buy something. A test purchase shows what will happen.",
            mapping=names,
        )
    elif provider.name in silent:
        state = Status.WARNING
        text = _(
            "The last genuine notification is older than is usual for this site. See at "
            "${provider} whether notifications are still on, and their address is right.",
            mapping=names,
        )
    else:
        ago = duration(timestamps.now() - last)
        state, text = Status.OK, _("Last notification ${ago} ago.", mapping={"ago": ago})
    return Check("last_notification", state, title, text, moment=last)


def _last_asked(site: Any, provider: IPaymentProvider, silent: Collection[str]) -> Check:
    title, names = _("Questions"), {"provider": provider.title}
    last = silence.asked(site, provider.name)
    if last is None:
        text = _(
            "${provider} has not answered all questions yet. It sends no notifications: the "
            "automatic check asks it.",
            mapping=names,
        )
        return Check("last_notification", Status.TODO, title, text)
    if provider.name in silent:
        text = _(
            "${provider} has not answered all questions for more than a day. Until it does, no "
            "subscription is ended because a renewal is missing.",
            mapping=names,
        )
        return Check("last_notification", Status.WARNING, title, text, moment=last)
    text = _("${provider} has answered all questions.", mapping=names)
    return Check("last_notification", Status.OK, title, text, moment=last)
