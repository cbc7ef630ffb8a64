"""Rows of lists: a record that cannot be shown does not take the others with it."""

from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Iterator
from niteoweb.click2sell import _
from niteoweb.click2sell.storage import log_failure
from typing import TypeVar
from ZODB.POSException import ConflictError


Record = TypeVar("Record")
Row = TypeVar("Row")

#: Stands in the row of a record that cannot be shown.
NOT_SHOWN = _("This record cannot be shown. The error is in the site's log.")


def each(
    records: Iterable[Record], row: Callable[[Record], Row], not_shown: Callable[[Record], Row]
) -> Iterator[Row]:
    """The rows of records.

    :param not_shown: makes the row of a record for which `row` fails.
    """
    for record in records:
        try:
            yield row(record)
        except ConflictError:
            raise
        except Exception as error:
            log_failure("A row of a list", error)
            yield not_shown(record)
