"""One sale, through the balancer."""

from datetime import datetime
from datetime import timezone
from niteoweb.click2sell import notify
from niteoweb.click2sell.provider.click2sell import CONTENT_TYPE
from niteoweb.click2sell.sample.click2sell import form_fields
from tools.cluster.plonesite import PRODUCT
from tools.cluster.program import ClusterError
from urllib.parse import urlencode
from urllib.request import build_opener
from urllib.request import ProxyHandler
from urllib.request import Request

import secrets


def sell(site: str, secret_key: str) -> str:
    """Post a signed sale to somebody new.

    :param site: its address.
    :returns: the buyer's address.
    :raises ClusterError: it is not accepted.
    """
    number = secrets.token_hex(8)
    buyer = f"{number}@example.org"
    now = datetime.now(timezone.utc)
    form = form_fields(
        secret_key,
        number,
        product=PRODUCT,
        email=buyer,
        date=f"{now:%Y-%m-%d}",
        time=f"{now:%H:%M:%S}",
        receipt=number,
    )
    request = Request(  # noqa: S310 - our own site
        f"{site}/{notify.VIEW}",
        urlencode(form).encode("ascii"),
        {"Content-Type": CONTENT_TYPE},
    )
    try:
        with build_opener(ProxyHandler({})).open(request, timeout=120) as answer:
            answer.read()
    except OSError as error:
        raise ClusterError(f"The sale was not accepted: {error}") from None
    return buyer
