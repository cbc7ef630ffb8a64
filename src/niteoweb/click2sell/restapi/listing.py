"""Services that list records, or answer the record that the rest of the path names."""

from collections.abc import Callable
from plone.restapi.batching import DEFAULT_BATCH_SIZE
from plone.restapi.batching import HypermediaBatch
from plone.restapi.deserializer import parse_int
from plone.restapi.services import Service
from typing import Any
from zExceptions import BadRequest
from zExceptions import NotFound
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

    def publishTraverse(self, request: Any, name: str) -> "PathParameters":
        """Take a part of the path."""
        self.params.append(name)
        return self


class Records(PathParameters, Service):
    """Answers a GET: a batched ``page``, or the ``details`` of the record whose id follows."""

    def reply(self) -> dict[str, Any]:
        """The list, or one record when the path names it.

        :raises NotFound: there is no such record.
        """
        if len(self.params) > 1:
            raise NotFound
        return self.details(self.params[0]) if self.params else self.page()

    def batch(
        self, listed: Any, items: Callable[[int, int], list[dict[str, Any]]]
    ) -> dict[str, Any]:
        """The requested page of a list.

        :param listed: has the ``total`` of the records; ``capped`` when there are more of them.
        :param items: answers the records from a number on, so many of them.
        :raises BadRequest: a number is not possible; plone.restapi takes negative ones, and
            pages of any size.
        """
        form = self.request.form
        if parse_int(form, "b_start", 0) < 0:
            raise BadRequest("Invalid b_start: Less than 0")
        if not 1 <= parse_int(form, "b_size", DEFAULT_BATCH_SIZE) <= LARGEST_PAGE:
            raise BadRequest(f"Invalid b_size: Not from 1 to {LARGEST_PAGE}")
        # The batch only counts; it never asks for a record.
        batch = HypermediaBatch(self.request, range(listed.total))
        numbers = list(batch)
        answer = {
            "@id": batch.canonical_url,
            "items": items(numbers[0], len(numbers)) if numbers else [],
            "items_total": listed.total,
            "items_total_capped": listed.capped,
        }
        return {**answer, "batching": batch.links} if batch.links else answer
