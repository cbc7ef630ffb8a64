"""The public address of the site: as the request tells it, and the problems of one typed in."""

from collections.abc import Iterator
from niteoweb.click2sell import _
from niteoweb.click2sell import site
from niteoweb.click2sell import webaddress
from zope.i18nmessageid import Message


#: The hosts of requests that nobody made: of Zope's scripts, and of plone.testing's layers.
_NO_HOSTS = (("nohost", None), ("foo", None))

#: The problems of an address, by its wrong part.
_ADDRESSES = {
    "form": _("This has to be an address such as https://www.example.org"),
    "host": _(
        "This has to be an address such as https://www.example.org: the name of the host "
        "cannot be right."
    ),
    "port": _(
        "This has to be an address such as https://www.example.org: the port has to be a "
        "number from 1 to 65535."
    ),
    "user": _(
        "This has to be an address such as https://www.example.org: leave out the user name "
        "and the password."
    ),
    "query": _(
        "This has to be an address such as https://www.example.org: leave out everything from "
        "the question mark or the hash sign on."
    ),
    "page": _(
        "This has to be an address such as https://www.example.org: leave out the name of the "
        "page, which is not a part of the address of the site."
    ),
}


def requested() -> str:
    """The address that the request came to, "" where there is none, as in a script."""
    try:
        address = webaddress.normal(site.get().absolute_url())
    except webaddress.Unusable:
        return ""
    return "" if webaddress.host(address) in _NO_HOSTS else address


def problems(text: str) -> Iterator[Message]:
    """The problems of a public address that was typed in."""
    try:
        path = webaddress.path(text)
    except webaddress.Unusable as error:
        yield _ADDRESSES[error.part]
        return
    here = requested()
    if webaddress.host(text) == webaddress.host(here) and path != webaddress.path(here):
        yield _(
            "The site is at ${here}: links built from this address would not lead to it.",
            mapping={"here": here},
        )
