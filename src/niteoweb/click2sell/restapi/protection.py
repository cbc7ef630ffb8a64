"""The base of services that change something, with their protection from foreign pages.

plone.protect's automatic check sees what is not committed yet when a request ends. These
services commit on the way, so they check first that no page of another site has sent the
request through the browser of an owner who is logged in here.
"""

from niteoweb.click2sell import site as plone_site
from niteoweb.click2sell import webaddress
from niteoweb.click2sell.member import privilege
from niteoweb.click2sell.notification import ParameterInvalid
from niteoweb.click2sell.provider import jsonbody
from niteoweb.click2sell.provider import Unreachable
from niteoweb.click2sell.storage import NotPossible
from niteoweb.click2sell.storage import transactions
from plone import api
from plone.protect.authenticator import check
from plone.protect.interfaces import IDisableCSRFProtection
from plone.restapi.services import Service
from typing import Any
from zExceptions import BadRequest
from zExceptions import Forbidden
from zope import schema
from zope.i18n import translate
from zope.i18nmessageid import Message
from zope.interface import alsoProvides
from zope.interface.interfaces import IInterface


#: Bytes; the options are few.
LARGEST_BODY = 4096

#: Types of the options that are no text.
TYPES = {schema.Int: int, schema.Bool: bool}

#: The names under which answers tell of people and of what arrived about them.
PERSONAL = frozenset(
    [
        *("address", "addresses", "accounts", "buyer", "email", "first_name", "last_name"),
        *("user_id", "fields", "payload", "notes", "affiliate", "country", "receipt"),
        *("transaction", "subscription"),
    ]
)

BUSY = "Another process is at the same data, try again."

WORDS = {
    bool: "true or false",
    str: "a text",
    int: "a whole number",
    list: "a list",
    dict: "an object",
}


def refuse_foreign_pages(request: Any) -> None:
    """Refuse a request that a page of another site can have made a browser send.

    A request that names its origin has to come from this site. Beyond that one of these is
    enough: a token of plone.protect (``_authenticator`` in the query or the header
    ``X-CSRF-TOKEN``), which other sites cannot read; the content type JSON, for which a browser
    asks this site first; or no sign of a browser at all, as with curl from cron.

    :raises Forbidden: none of that holds.
    """
    origin = request.getHeader("Origin")
    if origin is not None and not _is_own(origin):
        raise Forbidden("The request comes from another site.")
    browser = origin is not None or request.getHeader("Sec-Fetch-Site") is not None
    if browser and not _is_json(request) and not _has_token(request):
        raise Forbidden(
            "A browser has to send the content type application/json, or a token in the header "
            "X-CSRF-TOKEN."
        )
    alsoProvides(request, IDisableCSRFProtection)


class Operation(Service):
    """A service that changes something, with options in a JSON body.

    :cvar names_people: its answers name buyers to operators who may not view purchases.
    :cvar largest: bytes that the body may have.
    """

    names_people = False
    largest = LARGEST_BODY

    def options(self, **kinds: type) -> dict[str, Any]:
        """The options in the body; an option that is null counts as left out.

        :param kinds: names of the options that there are, with the type of each.
        :raises Forbidden: see :func:`refuse_foreign_pages`.
        :raises BadRequest: the body is no JSON object, or an option is not possible. A
            name that is spelt wrong could be a ``dry_run`` that was meant.
        """
        refuse_foreign_pages(self.request)
        body = body_of(self.request, self.largest)
        for name, value in body.items():
            if name not in kinds:
                raise BadRequest(
                    f'There is no option "{name[:50]}". Possible: {", ".join(kinds)}.'
                )
            if value is not None and type(value) is not kinds[name]:
                raise BadRequest(f'"{name}" must be {WORDS[kinds[name]]}.')
        return {name: value for name, value in body.items() if value is not None}

    def operate(self) -> Any:
        """Do it.

        :returns: the answer, as plain values.
        :raises NotPossible: it cannot be done.
        :raises niteoweb.click2sell.storage.transactions.Busy: another process was at the same
            data.
        :raises Unreachable: a provider was asked, and has not answered.
        """
        raise NotImplementedError

    def reply(self) -> Any:
        """Answer the request; 503 for a process at the same data, or a provider that hangs.

        :raises BadRequest: it cannot be done; the text says why.
        """
        try:
            answer = self.operate()
        except NotPossible as problem:
            raise BadRequest(self.said(problem.message)) from None
        except transactions.Busy:
            return self.later("Busy", BUSY)
        except Unreachable:
            return self.later("Unreachable", "The provider has not answered, try again.")
        if self.names_people or api.user.has_permission(privilege.VIEW, obj=self.context):
            return answer
        return without_people(answer)

    def later(
        self,
        kind: str,
        message: str,
        status: int = 503,
        seconds: int = transactions.RETRY_AFTER,
    ) -> dict[str, str]:
        """Answer with an error that is over after some seconds, perhaps."""
        self.request.response.setHeader("Retry-After", str(seconds))
        return self.problem(status, kind, message)

    def said(self, message: Message) -> str:
        """A text in the language of the request."""
        return translate(message, context=self.request)

    @property
    def by(self) -> str:
        """User id of the owner."""
        return api.user.get_current().getId() or ""

    def problem(self, status: int, kind: str, message: str) -> dict[str, str]:
        """Answer with an error, as plone.rest does, but with nothing of its cause."""
        self.request.response.setStatus(status, lock=True)
        return {"type": kind, "message": message}


def without_people(answer: Any) -> Any:
    """An answer as it is told to an operator who may not view purchases."""
    if isinstance(answer, list):
        return [without_people(item) for item in answer]
    if isinstance(answer, dict):
        return {k: without_people(v) for k, v in answer.items() if k not in PERSONAL}
    return answer


def kinds(form: IInterface) -> dict[str, type]:
    """The options for the fields of a form, and their types."""
    return {
        name: next((TYPES[kind] for kind in TYPES if isinstance(field, kind)), str)
        for name, field in schema.getFieldsInOrder(form)
    }


def body_of(request: Any, largest: int = LARGEST_BODY) -> dict[str, Any]:
    """The body's JSON object, whatever content type it came with; no body is an empty one.

    With ``curl -d`` the content type is that of a form, and plone.restapi would see no body at
    all: a ``dry_run`` in it would be lost, and everything be done for real.

    :param largest: bytes that the body may have.
    :raises BadRequest: it is too large, or no JSON object as
        :func:`niteoweb.click2sell.provider.jsonbody.read` wants it: a name stands in it twice,
        for example.
    """
    file = request.get("BODYFILE")
    text = b""
    if file is not None:
        file.seek(0)
        text = file.read(largest + 1)
    if len(text) > largest:
        raise BadRequest("The body is too large.")
    try:
        return dict(jsonbody.read(text).items()) if text.strip() else {}
    except ParameterInvalid as error:
        if error.parameter == jsonbody.WHOLE:
            raise BadRequest("The body must be a JSON object.") from None
        raise BadRequest(f'"{error.parameter}" may stand only once.') from None


def _is_own(origin: str) -> bool:
    own = (api.portal.get().absolute_url(), plone_site.public_address())
    # A page without an origin of its own says "null".
    claimed = webaddress.host(origin)
    return claimed is not None and claimed in map(webaddress.host, own)


def _is_json(request: Any) -> bool:
    media_type = (request.getHeader("Content-Type") or "").partition(";")[0]
    return media_type.strip().lower() == "application/json"


def _has_token(request: Any) -> bool:
    try:
        check(request)
    except Forbidden:
        return False
    return True
