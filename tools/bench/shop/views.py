"""The callback: the same form and checksum, a user, two groups and the purchase fields."""

from collections.abc import Mapping
from datetime import datetime
from datetime import timezone
from django.conf import settings
from django.contrib.auth.models import Group
from django.contrib.auth.models import User
from django.db import transaction
from django.http import HttpRequest
from django.http import HttpResponse
from django.urls import path
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST
from tools.bench.shop.models import Membership

import hashlib
import hmac


@csrf_exempt
@require_POST
def callback(request: HttpRequest) -> HttpResponse:
    """Answer a notification of Click2Sell."""
    form = request.POST
    try:
        if not _is_genuine(form):
            return HttpResponse("Checksum verification failed.", status=403)
        _process(form)
    except KeyError as error:
        return HttpResponse(f"POST parameter missing: {error}", status=400)
    return HttpResponse("POST successfully parsed.")


def _is_genuine(form: Mapping[str, str]) -> bool:
    text = f"{settings.CLICK2SELL_KEY}_{form['acquirer_transaction_id']}"
    # The provider's own choice.
    digest = hashlib.md5(text.encode("utf-8")).hexdigest()  # noqa: S324
    return hmac.compare_digest(digest.upper(), form["checksum"].upper())


@transaction.atomic
def _process(form: Mapping[str, str]) -> None:
    address = form["buyer_email"]
    at = datetime.fromisoformat(f"{form['purchase_date']} {form['purchase_time']}")
    fields = {
        "product_id": form["product_id"],
        "product_name": form["product_name"],
        "affiliate": form["affiliate_username"],
        "last_purchase_id": form["c2s_transaction_id"],
        "last_purchase_timestamp": at.replace(tzinfo=timezone.utc),
    }
    user = User.objects.filter(username=address).first()
    if user is None:
        # Without a password, so none is hashed.
        user = User.objects.create_user(
            address,
            address,
            first_name=form["buyer_name"],
            last_name=form["buyer_surname"],
        )
        Membership.objects.create(user=user, **fields)
    else:
        Membership.objects.filter(user=user).update(**fields)
    names = settings.CLICK2SELL_GROUPS.get(form["product_id"], ())
    user.groups.add(*Group.objects.filter(name__in=names))


urlpatterns = [path(settings.CLICK2SELL_PATH, callback)]
