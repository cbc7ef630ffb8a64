"""Site Setup: downloads for spreadsheets."""

from collections.abc import Iterable
from collections.abc import Iterator
from niteoweb.click2sell import _
from niteoweb.click2sell import site as plone_site
from niteoweb.click2sell import timestamps
from niteoweb.click2sell.browser.desk.fields import Field
from niteoweb.click2sell.browser.desk.ownerpage import ask_to_try_later
from niteoweb.click2sell.report import csvfile
from niteoweb.click2sell.report import notifications
from niteoweb.click2sell.report import tables
from niteoweb.click2sell.storage import transactions
from Products.Five.browser import BrowserView
from tempfile import TemporaryFile
from typing import Any
from typing import IO
from urllib.parse import urlencode
from zope.i18n import translate
from zope.i18nmessageid import Message


SEPARATORS = {
    "comma": _("Comma"),
    "semicolon": _("Semicolon"),
    "tab": _("Tab"),
}
DECIMALS = {
    "point": _("Point (9.90)"),
    "comma": _("Comma (9,90)"),
}


class WithDownload(BrowserView):
    """A page with a form that chooses how a file is written."""

    @property
    def layout_fields(self) -> list[Field]:
        """The fields for the separator and the decimal sign."""
        chosen = layout(self.request)
        separators, decimals = tuple(SEPARATORS.items()), tuple(DECIMALS.items())
        return [
            Field("separator", _("Separator"), chosen.separator, "select", separators),
            Field("decimal", _("Decimal sign"), chosen.decimal, "select", decimals),
        ]


def layout(request: Any) -> csvfile.Layout:
    """The layout of a file: as the form says, else as usual in the reader's language.

    Spreadsheets expect a semicolon where numbers have a decimal comma.
    """
    comma = _has_decimal_comma(request.locale)
    separator, decimal = request.form.get("separator"), request.form.get("decimal")
    default = csvfile.Layout(*("semicolon", "comma") if comma else ())
    return csvfile.Layout(
        separator if _is_one_of(separator, SEPARATORS) else default.separator,
        decimal if _is_one_of(decimal, DECIMALS) else default.decimal,
    )


def send(
    request: Any, name: str, rows: Iterable[tables.TableRow], layout_: csvfile.Layout
) -> IO[bytes] | str:
    """Answer with a file.

    It is written to the disk first: an error on the way is answered as an error, not as a table
    that ends too early, and a slow reader does not hold a database connection.

    :param name: of the file, without its ending.
    :returns: the return value of the view.
    """
    # The publisher closes it when it is sent.
    file = TemporaryFile()  # noqa: SIM115
    try:
        for piece in csvfile.pieces(_translated(request, rows), layout_):
            file.write(piece)
    except BaseException as error:
        file.close()
        if isinstance(error, Exception) and transactions.passes(error):
            # The disk is full, for example.
            ask_to_try_later(request)
            return "Try again later."
        raise
    response = request.response
    response.setHeader("Content-Type", "text/csv; charset=utf-8")
    response.setHeader("Content-Disposition", f'attachment; filename="click2sell-{name}.csv"')
    response.setHeader("X-Content-Type-Options", "nosniff")
    return file


class NotificationsFile(BrowserView):
    """``@@click2sell-notifications.csv``: the whole list, with its filters."""

    def __call__(self) -> IO[bytes] | str:
        form = self.request.form
        try:
            filters = notifications.parse(self.context, form, plone_site.timezone())
        except notifications.FilterError:
            # The page shows the mistake.
            query = urlencode(
                {name: form[name] for name in notifications.NAMES if name in form}, True
            )
            self.request.response.redirect(
                f"{self.context.absolute_url()}/@@click2sell-notifications?{query}"
            )
            return ""
        rows = tables.notifications(self.context, filters)
        return send(self.request, f"notifications-{_today()}", rows, layout(self.request))


class MembersFile(BrowserView):
    """``@@click2sell-members.csv``: all buyers."""

    def __call__(self) -> IO[bytes] | str:
        rows = tables.members(self.context, timestamps.now(), self.request)
        return send(self.request, f"members-{_today()}", rows, layout(self.request))


def _translated(request: Any, rows: Iterable[tables.TableRow]) -> Iterator[list[csvfile.Cell]]:
    for row in rows:
        yield [
            translate(cell, context=request) if isinstance(cell, Message) else cell
            for cell in row
        ]


def _has_decimal_comma(locale: Any) -> bool:
    # zope.i18n knows the sign of each country that speaks Spanish, and none of Spanish itself.
    if (locale.id.language, locale.id.territory) == ("es", None):
        return True
    return locale.numbers.symbols.get("decimal") == ","


def _today() -> str:
    return f"{timestamps.now().astimezone(plone_site.timezone()):%Y-%m-%d}"


def _is_one_of(value: Any, names: Iterable[str]) -> bool:
    return isinstance(value, str) and value in names
