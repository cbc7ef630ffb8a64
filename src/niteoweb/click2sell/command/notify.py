"""``click2sell-notify``: post signed notifications to a site, the way a provider does.

For owners who want to try their own site without a purchase, and for the demo. It imports
nothing of Zope: the samples of each provider are an entry point of the group :data:`SAMPLES`.
"""

from argparse import ArgumentParser
from argparse import Namespace
from collections.abc import Mapping
from collections.abc import Sequence
from dataclasses import fields
from datetime import datetime
from http.client import HTTPException
from importlib.metadata import entry_points
from niteoweb.click2sell.command import console
from niteoweb.click2sell.command import posting
from niteoweb.click2sell.notification import Delivery
from niteoweb.click2sell.provider import deliveries
from niteoweb.click2sell.provider import SampleRequest
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import os
import secrets
import socket
import sys


CLICK2SELL = "click2sell"
VIEW = f"@@{CLICK2SELL}"
KEY_VARIABLE = "CLICK2SELL_SECRET_KEY"

#: The group of entry points: a provider's name, and its module of samples.
SAMPLES = "niteoweb.click2sell.samples"


def secret_key(path: str | None) -> str:
    """Read the secret key; never from the command line, which other users of a machine see.

    :param path: a file with the key, ``-`` for standard input, or None for the environment.
    :raises console.Problem: there is none, it is empty, or the file cannot be read.
    """
    if path is None:
        if KEY_VARIABLE not in os.environ:
            raise console.Problem(
                "no secret key: name a file with --secret-key-file, or set the environment "
                f"variable {KEY_VARIABLE}"
            )
        key, source = os.environ[KEY_VARIABLE], f"in {KEY_VARIABLE}"
    else:
        source = "on standard input" if path == "-" else f"in {path}"
        try:
            raw = sys.stdin.buffer.read() if path == "-" else Path(path).read_bytes()
            # Editors end a file with a line break that is not part of the key.
            key = raw.decode("utf-8").removesuffix("\n").removesuffix("\r")
        except OSError as error:
            raise console.Problem(
                f"cannot read the secret key {source}: {error.strerror}"
            ) from None
        except UnicodeDecodeError:
            raise console.Problem(f"the secret key {source} is not UTF-8 text") from None
    if not key.strip():
        raise console.Problem(f"the secret key {source} is empty")
    return key


def main(argv: Sequence[str] | None = None) -> int:
    """The console command.

    :returns: 0 when the site answered 200, 1 for any other answer or none.
    :raises SystemExit: with code 2, for wrong usage or without a secret key.
    """
    makers = samples()
    parser = _parser(makers)
    options = parser.parse_args(argv)
    if options.provider not in makers:
        known = ", ".join(sorted(makers))
        parser.error(f"--provider: {posting.printable(options.provider)!r} is none of {known}")
    maker = makers[options.provider]
    options.kind = options.kind or next(iter(maker.KINDS))
    if options.kind not in maker.KINDS:
        known = ", ".join(maker.KINDS)
        parser.error(f"--kind: {posting.printable(options.kind)!r} is none of {known}")
    try:
        url = posting.callback_url(options.url, getattr(maker, "CALLBACK", options.provider))
    except ValueError:
        parser.error(f"not an http or https address: {posting.printable(options.url)}")
    try:
        settings = SimpleNamespace(
            secretkey=secret_key(options.secret_key_file), **_settings(options, maker)
        )
    except console.Problem as error:
        parser.error(str(error))
    except KeyError as error:
        parser.error(f"--setting: there is no {posting.printable(error.args[0])!r}")
    if not 0 < options.timeout <= 3600:
        parser.error("--timeout: from a fraction of a second to 3600 seconds")
    given = {**vars(options), "first_name": options.name, "last_name": options.surname}
    names = [field.name for field in fields(SampleRequest) if field.name != "now"]
    request = SampleRequest(
        now=datetime.now().astimezone(), **{name: given[name] for name in names}
    )
    try:
        # JSON would escape characters that UTF-8 cannot encode.
        "".join(map(str, [*vars(request).values(), *vars(settings).values()])).encode("utf-8")
        signed = list(deliveries(maker, request, settings))
    except UnicodeError:
        parser.error("the secret key and all values have to be UTF-8 text")
    except ValueError:
        parser.error("--date, --time: expected YYYY-MM-DD and HH:MM:SS")
    console.say(
        f"{url}: {request.kind}, product {request.product}, buyer {request.email}, "
        f"transaction {request.transaction}, receipt {request.receipt}"
    )
    # The next delivery relies on the one before.
    for delivery in signed:
        status = _post(url, delivery, options.timeout, maker.signatures(delivery))
        if status:
            return status
    return 0


def samples() -> dict[str, Any]:
    """The modules of samples, by the name of the provider."""
    points = sorted(entry_points(group=SAMPLES), key=lambda point: point.name)
    return {point.name: point.load() for point in points}


def _post(url: str, delivery: Delivery, timeout: float, unspoken: Sequence[str]) -> int:
    """Post a delivery, and print the answer or the failure.

    :returns: the status of the command.
    """
    try:
        answer = posting.post(url, delivery, timeout, unspoken)
    except TimeoutError:
        return _fail(f"{url} did not answer within {timeout:g} seconds.")
    except socket.gaierror as error:
        return _fail(f"Cannot reach {url}: {error.strerror}.")
    except HTTPException as error:
        return _fail(f"{url} gave no HTTP answer: {type(error).__name__}.")
    except (OSError, UnicodeError) as error:
        return _fail(f"Cannot reach {url}: {getattr(error, 'strerror', None) or error}.")
    console.say(f"{answer.status} {answer.reason}".strip())
    if answer.text:
        console.say(answer.text)
    if answer.target:
        return _fail(
            f"Redirected to {answer.target}, which was not followed: a notification has to be "
            "sent to its final address."
        )
    return 0 if answer.status == 200 else 1


def _parser(makers: Mapping[str, Any]) -> ArgumentParser:
    parser = ArgumentParser(
        prog="click2sell-notify",
        # "--secret-key x" must be an error, not short for --secret-key-file.
        allow_abbrev=False,
        description="Post a signed notification to a site, as a payment provider does, and "
        "print its answer. Ends with 0 when the answer is 200, with 1 for any other answer or "
        "none.",
        epilog=f"Without --secret-key-file the key is taken from the environment variable "
        f"{KEY_VARIABLE}.",
    )
    kinds = "; ".join(f"{name}: {', '.join(maker.KINDS)}" for name, maker in makers.items())
    add = parser.add_argument
    add("url", metavar="URL", help=f"the site's address, or that of its callback, {VIEW}")
    add(
        "--provider",
        metavar="NAME",
        default=CLICK2SELL,
        help=f"which one: {', '.join(makers)} (default: {CLICK2SELL})",
    )
    add("--secret-key-file", metavar="FILE", help="file with the secret key, - for stdin")
    add("--product", required=True, help="product id")
    add("--email", required=True, help="the buyer's address")
    add("--kind", metavar="KIND", help=f"what happened; {kinds} (default: the first)")
    add("--name", default="", help="the buyer's first name")
    add("--surname", default="", help="the buyer's last name")
    add("--product-name", default="", help="product name")
    add("--price", default="", help='for example "9.90 EUR"')
    add("--affiliate", default="", help="who referred the buyer")
    # An empty value that is given is sent: owners may try what their site answers.
    add(
        "--transaction",
        default=secrets.token_hex(8),
        help="id of transaction or subscription (default: a random one)",
    )
    add("--receipt", default=secrets.token_hex(8), help="receipt id (default: a random one)")
    add("--date", help="YYYY-MM-DD (default: today)")
    add("--time", help="HH:MM:SS, as on the site's clock (default: now, by this machine's)")
    add(
        "--setting",
        metavar="NAME=VALUE",
        action="append",
        default=[],
        help="a setting of the provider that is not its usual one: signature_header, "
        "signature_encoding",
    )
    add("--timeout", type=float, default=30, metavar="SECONDS", help="default: 30")
    return parser


def _settings(options: Namespace, maker: Any) -> dict[str, str]:
    """The settings that the signature needs beside the key.

    :raises KeyError: there is no such setting.
    """
    settings = dict(maker.SETTINGS)
    for given in options.setting:
        name, _, value = given.partition("=")
        if name not in settings:
            raise KeyError(name)
        settings[name] = value
    return settings


def _fail(sentence: str) -> int:
    console.complain(sentence)
    return 1


if __name__ == "__main__":
    sys.exit(main())
