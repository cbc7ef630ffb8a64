"""``click2sell-notify``: post a signed notification to a site, the way Click2Sell does.

For owners who want to try their own site without a purchase, and for the demo. It needs the
standard library and the signature only, so it also runs where no Zope is installed.
"""

from argparse import ArgumentParser
from argparse import Namespace
from collections.abc import Mapping
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from http.client import HTTPConnection
from http.client import HTTPException
from http.client import HTTPSConnection
from niteoweb.click2sell.provider.click2sell import CONTENT_TYPE
from niteoweb.click2sell.provider.click2sell import sign
from pathlib import Path
from urllib.parse import quote
from urllib.parse import urlencode
from urllib.parse import urljoin
from urllib.parse import urlsplit

import os
import secrets
import socket
import sys


VIEW = "@@click2sell"
KEY_VARIABLE = "CLICK2SELL_SECRET_KEY"

#: What Click2Sell sends for each kind: transaction_type, subscription_status, payment_status.
KINDS = {
    "sale": ("Sale", "", "OK"),
    "subscription": ("Subscription", "New", "OK"),
    "renewal": ("Subscription", "Recurring", "OK"),
    "cancellation": ("Subscription", "Cancel", "OK"),
    "refund": ("Refund", "", "OK"),
    "failed": ("Sale", "", "Failed"),
}

#: More of an answer is not read: our answers are one line, another page may be endless.
_ANSWER_BYTES = 2000


class KeyMissing(ValueError):
    """There is no usable secret key; the message is for the person at the terminal."""


@dataclass(frozen=True)
class Answer:
    """What the site answered.

    :ivar text: the first lines of the body, without control characters.
    :ivar target: where a redirect points to, "" for any other answer.
    """

    status: int
    reason: str
    text: str
    target: str = ""


def form_fields(
    secret_key: str,
    transaction: str,
    *,
    product: str,
    email: str,
    date: str,
    time: str,
    kind: str = "sale",
    receipt: str = "",
    name: str = "",
    surname: str = "",
    product_name: str = "",
    affiliate: str = "",
    price: str = "",
) -> Mapping[str, str]:
    """The form of a signed notification, under Click2Sell's names.

    :param transaction: the transaction id, which is what the checksum covers.
    :param date: ``YYYY-MM-DD`` or ``YYYY/MM/DD``.
    :param time: ``HH:MM:SS``, in the time zone of the site.
    :param kind: one of :data:`KINDS`.
    :param price: for example ``9.90 EUR``.
    :raises KeyError: the kind does not exist.
    """
    transaction_type, subscription_status, payment_status = KINDS[kind]
    return {
        "acquirer_transaction_id": transaction,
        "c2s_transaction_id": receipt,
        "transaction_type": transaction_type,
        "subscription_status": subscription_status,
        "payment_status": payment_status,
        "purchase_date": date,
        "purchase_time": time,
        "buyer_email": email,
        "buyer_name": name,
        "buyer_surname": surname,
        "product_id": product,
        "product_name": product_name,
        "product_price": price,
        "affiliate_username": affiliate,
        "checksum": sign(secret_key, transaction),
    }


def callback_url(address: str) -> str:
    """The address to post to: the callback itself, or a site's address to append it to.

    :raises ValueError: this is not an http or https address.
    """
    parts = urlsplit(address)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.username:
        raise ValueError(address)
    # Raises for a port that is not a number.
    parts.port  # noqa: B018
    path = quote(parts.path.rstrip("/"), safe="/@%+~!$&'()*,;=:")
    if not path.endswith(VIEW):
        path = f"{path}/{VIEW}"
    return parts._replace(path=path, fragment="").geturl()


def secret_key(path: str | None, environ: Mapping[str, str] = os.environ) -> str:
    """Read the secret key; never from the command line, which other users of a machine see.

    :param path: a file with the key, ``-`` for standard input, or None for the environment.
    :raises KeyMissing: there is none, it is empty, or the file cannot be read.
    """
    if path is None:
        if KEY_VARIABLE not in environ:
            raise KeyMissing(
                "no secret key: name a file with --secret-key-file, or set the environment "
                f"variable {KEY_VARIABLE}"
            )
        key, source = environ[KEY_VARIABLE], f"in {KEY_VARIABLE}"
    else:
        source = "on standard input" if path == "-" else f"in {path}"
        try:
            raw = sys.stdin.buffer.read() if path == "-" else Path(path).read_bytes()
            # Editors end a file with a line break that is not part of the key.
            key = raw.decode("utf-8").removesuffix("\n").removesuffix("\r")
        except OSError as error:
            raise KeyMissing(f"cannot read the secret key {source}: {error.strerror}") from None
        except UnicodeDecodeError:
            raise KeyMissing(f"the secret key {source} is not UTF-8 text") from None
    if not key.strip():
        raise KeyMissing(f"the secret key {source} is empty")
    return key


def post(url: str, form: Mapping[str, str], timeout: float) -> Answer:
    """Post a form, following no redirect: Click2Sell would not, either.

    :param timeout: seconds to wait for a connection, and again for each piece of the answer.
    :raises OSError: the site cannot be reached.
    :raises HTTPException: what answers does not speak HTTP.
    """
    parts = urlsplit(url)
    connect = HTTPSConnection if parts.scheme == "https" else HTTPConnection
    connection = connect(parts.hostname or "", parts.port, timeout=timeout)
    try:
        connection.request(
            "POST",
            f"{parts.path}?{parts.query}" if parts.query else parts.path,
            urlencode(form).encode("ascii"),
            {"Content-Type": CONTENT_TYPE, "User-Agent": "click2sell-notify"},
        )
        response = connection.getresponse()
        text = response.read(_ANSWER_BYTES).decode("utf-8", "replace")
        target = response.getheader("Location") if 300 <= response.status < 400 else None
        return Answer(
            response.status,
            _printable(response.reason),
            # A site that echoes requests must not put the checksum on the screen.
            _printable(text.replace(form.get("checksum") or "\0", "(checksum)")),
            _printable(urljoin(url, target)) if target else "",
        )
    finally:
        connection.close()


def main(argv: Sequence[str] | None = None) -> int:
    """The console command.

    :returns: 0 when the site answered 200, 1 for any other answer or none.
    :raises SystemExit: with code 2, for wrong usage or without a secret key.
    """
    parser = _parser()
    options = parser.parse_args(argv)
    try:
        url = callback_url(options.url)
    except ValueError:
        parser.error(f"not an http or https address: {_printable(options.url)}")
    try:
        key = secret_key(options.secret_key_file)
    except KeyMissing as error:
        parser.error(str(error))
    if not 0 < options.timeout <= 3600:
        parser.error("--timeout: from a fraction of a second to 3600 seconds")
    try:
        form = _form(options, key)
        urlencode(form)
    except UnicodeError:
        parser.error("the secret key and all values have to be UTF-8 text")
    _say(
        f"{url}: {options.kind}, product {form['product_id']}, buyer {form['buyer_email']}, "
        f"transaction {form['acquirer_transaction_id']}, receipt {form['c2s_transaction_id']}"
    )
    try:
        answer = post(url, form, options.timeout)
    except TimeoutError:
        return _fail(f"{url} did not answer within {options.timeout:g} seconds.")
    except socket.gaierror as error:
        return _fail(f"Cannot reach {url}: {error.strerror}.")
    except HTTPException as error:
        return _fail(f"{url} gave no HTTP answer: {type(error).__name__}.")
    except (OSError, UnicodeError) as error:
        return _fail(f"Cannot reach {url}: {getattr(error, 'strerror', None) or error}.")
    _say(f"{answer.status} {answer.reason}".strip())
    if answer.text:
        _say(answer.text)
    if answer.target:
        return _fail(
            f"Redirected to {answer.target}, which was not followed: a notification has to be "
            "sent to its final address."
        )
    return 0 if answer.status == 200 else 1


def _parser() -> ArgumentParser:
    parser = ArgumentParser(
        prog="click2sell-notify",
        # "--secret-key x" must be an error, not short for --secret-key-file.
        allow_abbrev=False,
        description="Post a signed Click2Sell notification to a site and print its answer. "
        "Ends with 0 when the answer is 200, with 1 for any other answer or none.",
        epilog=f"Without --secret-key-file the key is taken from the environment variable "
        f"{KEY_VARIABLE}.",
    )
    add = parser.add_argument
    add("url", metavar="URL", help=f"the site's address, or that of its {VIEW}")
    add("--secret-key-file", metavar="FILE", help="file with the secret key, - for stdin")
    add("--product", required=True, help="product id")
    add("--email", required=True, help="the buyer's address")
    add("--kind", choices=KINDS, default="sale", help="what happened (default: sale)")
    add("--name", default="", help="the buyer's first name")
    add("--surname", default="", help="the buyer's last name")
    add("--product-name", default="", help="product name")
    add("--price", default="", help='for example "9.90 EUR"')
    add("--affiliate", default="", help="who referred the buyer")
    add("--transaction", help="transaction id (default: a random one)")
    add("--receipt", help="receipt id (default: a random one)")
    add("--date", help="YYYY-MM-DD (default: today)")
    add("--time", help="HH:MM:SS, as on the site's clock (default: now, by this machine's)")
    add("--timeout", type=float, default=30, metavar="SECONDS", help="default: 30")
    return parser


def _form(options: Namespace, key: str) -> Mapping[str, str]:
    now = datetime.now()
    return form_fields(
        key,
        _given(options.transaction, secrets.token_hex(8)),
        product=options.product,
        email=options.email,
        date=_given(options.date, f"{now:%Y-%m-%d}"),
        time=_given(options.time, f"{now:%H:%M:%S}"),
        kind=options.kind,
        receipt=_given(options.receipt, secrets.token_hex(8)),
        name=options.name,
        surname=options.surname,
        product_name=options.product_name,
        affiliate=options.affiliate,
        price=options.price,
    )


def _given(value: str | None, default: str) -> str:
    """An empty value that was given is sent: owners may try what their site answers."""
    return default if value is None else value


def _printable(text: str) -> str:
    """Without what could steer a terminal."""
    kept = (char if char.isprintable() or char == "\n" else " " for char in text)
    return "".join(kept).strip()


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")


def _fail(sentence: str) -> int:
    sys.stderr.write(f"{sentence}\n")
    return 1


if __name__ == "__main__":
    sys.exit(main())
