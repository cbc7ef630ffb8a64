"""Posting a delivery to a site over HTTP, as a provider does.

It needs the standard library only, so it also runs where no Zope is installed.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from http.client import HTTPConnection
from http.client import HTTPSConnection
from niteoweb.click2sell.notification import Delivery
from urllib.parse import quote
from urllib.parse import urljoin
from urllib.parse import urlsplit


#: More of an answer is not read: our answers are one line, another page may be endless.
_ANSWER_BYTES = 2000


@dataclass(frozen=True)
class Answer:
    """The answer of the site.

    :ivar text: the first lines of the body, without control characters.
    :ivar target: where a redirect points to, "" for any other answer.
    """

    status: int
    reason: str
    text: str
    target: str = ""


def callback_url(address: str, page: str) -> str:
    """The address to post to: the callback itself, or a site's address to append it to.

    :param page: the name of the callback.
    :raises ValueError: this is not an http or https address.
    """
    parts = urlsplit(address)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.username:
        raise ValueError(address)
    # Raises for a port that is not a number.
    parts.port  # noqa: B018
    path = quote(parts.path.rstrip("/"), safe="/@%+~!$&'()*,;=:")
    if not path.endswith(f"@@{page}"):
        path = f"{path}/@@{page}"
    return parts._replace(path=path, fragment="").geturl()


def post(url: str, delivery: Delivery, timeout: float, unspoken: Sequence[str] = ()) -> Answer:
    """Post a delivery, following no redirect: a provider would not, either.

    :param timeout: seconds to wait for a connection, and again for each piece of the answer.
    :param unspoken: the signatures of the delivery, which are not printed.
    :raises OSError: the site cannot be reached.
    :raises HTTPException: the answer is no HTTP.
    """
    parts = urlsplit(url)
    connect = HTTPSConnection if parts.scheme == "https" else HTTPConnection
    connection = connect(parts.hostname or "", parts.port, timeout=timeout)
    own = {"Content-Type": delivery.content_type, "User-Agent": "click2sell-notify"}
    try:
        connection.request(
            "POST",
            f"{parts.path}?{parts.query}" if parts.query else parts.path,
            delivery.body,
            {**delivery.headers, **own},
        )
        response = connection.getresponse()
        text = response.read(_ANSWER_BYTES).decode("utf-8", "replace")
        target = response.getheader("Location") if 300 <= response.status < 400 else None
        for proof in filter(None, unspoken):
            # A site that echoes requests must not put it on the screen.
            text = text.replace(proof, "(signature)")
        return Answer(
            response.status,
            printable(response.reason),
            printable(text).strip(),
            printable(urljoin(url, target)) if target else "",
        )
    finally:
        connection.close()


def printable(text: str) -> str:
    """A text without control characters, which could steer a terminal."""
    return "".join(char if char.isprintable() or char == "\n" else " " for char in text)
