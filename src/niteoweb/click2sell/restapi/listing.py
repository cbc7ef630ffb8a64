"""Services that list records, or answer one that the rest of the path names."""

from collections.abc import Callable
from plone.restapi.batching import DEFAULT_BATCH_SIZE
from plone.restapi.batching import HypermediaBatch
from plone.restapi.deserializer import parse_int
from typing import Any
from zExceptions import BadRequest
from zope.interface import implementer
from zope.publisher.interfaces import IPublishTraverse


#: Records on a page, at most.
LARGEST_PAGE = 1000


@implementer(IPublishTraverse)
class PathParameters:
    """A service that takes the rest of the path.

    :ivar params: the parts of the path behind the service's name.
    """

    def __init__(self, context: Any, request: Any) -> None:
        super().__init__(context, request)
        self.params: list[str] = []

    def publishTraverse(self, request: Any, name: str) -> "PathParameters":  # noqa: N802
        """Take a part of the path."""
        self.params.append(name)
        return self


def page(
    request: Any, listed: Any, items: Callable[[int, int], list[dict[str, Any]]]
) -> dict[str, Any]:
    """The page of a list that was asked for.

    :param listed: has the ``total`` of the records; ``capped`` when there are more of them.
    :param items: answers the records from a number on, so many of them.
    :raises BadRequest: a number is not possible; plone.restapi takes negative ones, and pages
        of any size.
    """
    if parse_int(request.form, "b_start", 0) < 0:
        raise BadRequest("Invalid b_start: Less than 0")
    if not 1 <= parse_int(request.form, "b_size", DEFAULT_BATCH_SIZE) <= LARGEST_PAGE:
        raise BadRequest(f"Invalid b_size: Not from 1 to {LARGEST_PAGE}")
    # The batch only counts; it never asks for a record.
    batch = HypermediaBatch(request, range(listed.total))
    numbers = list(batch)
    answer = {
        "@id": batch.canonical_url,
        "items": items(numbers[0], len(numbers)) if numbers else [],
        "items_total": listed.total,
        "items_total_capped": listed.capped,
    }
    return {**answer, "batching": batch.links} if batch.links else answer
