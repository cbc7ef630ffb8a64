"""All pages, files and services of the add-on, before they run.

Nothing that they answer is cached, and each of their parameters is text.
"""

from Acquisition import aq_base
from collections.abc import Iterator
from collections.abc import Mapping
from niteoweb.click2sell.browser.callback import Callback
from niteoweb.click2sell.interfaces import IClick2SellLayer
from typing import Any
from zExceptions import BadRequest
from zope.component import adapter
from ZPublisher.interfaces import IPubAfterTraversal


PACKAGE = "niteoweb.click2sell."


@adapter(IPubAfterTraversal)
def prepare(event: IPubAfterTraversal) -> None:
    """Forbid to cache the answer, and refuse a parameter with half a character in it.

    Zope reads bytes that are no UTF-8 as such halves. They cannot be stored, compared or shown.

    :raises BadRequest: a parameter, or its name, is no text.
    """
    request = event.request
    if not IClick2SellLayer.providedBy(request):
        return
    published = request.get("PUBLISHED")
    view = aq_base(getattr(published, "__self__", published))
    if not any(class_.__module__.startswith(PACKAGE) for class_ in type(view).__mro__):
        return
    request.response.setHeader("Cache-Control", "no-store")
    # Zope takes a parameter of this name for the locale.
    request.form.pop("locale", None)
    # A callback reads nothing but the body, which has an encoding of its own.
    if not isinstance(view, Callback) and not all(map(_is_text, _texts(request.form))):
        # The page with the error would read it, too.
        request.form.clear()
        raise BadRequest("A parameter is no text.")


def _texts(form: Mapping[str, Any]) -> Iterator[str]:
    for name, value in form.items():
        yield name
        for item in value if isinstance(value, list | tuple) else (value,):
            if isinstance(item, str):
                yield item


def _is_text(value: str) -> bool:
    try:
        value.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True
