"""What is kept of a purchase beside Django's own users and groups."""

from django.conf import settings
from django.db import models


class Membership(models.Model):
    """The purchase fields of a user."""

    user = models.OneToOneField(settings.AUTH_USER_MODEL, models.CASCADE)
    product_id = models.CharField(max_length=100)
    product_name = models.CharField(max_length=200)
    affiliate = models.CharField(max_length=200, blank=True)
    last_purchase_id = models.CharField(max_length=100)
    last_purchase_timestamp = models.DateTimeField()
