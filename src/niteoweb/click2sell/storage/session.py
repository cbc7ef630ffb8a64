"""A session: a Plone site as a thread of ours sees it, without a visitor.

It has a request and a security manager of its own, for the system user. Sites, requests,
security managers and transactions belong to a thread in Zope: nothing is shared or exchanged.
"""

from AccessControl.SecurityManagement import newSecurityManager
from AccessControl.SecurityManagement import noSecurityManager
from AccessControl.SpecialUsers import system
from collections.abc import Iterator
from contextlib import contextmanager
from contextlib import suppress
from dataclasses import dataclass
from dataclasses import field
from io import BytesIO
from niteoweb.click2sell.storage import trees
from plone.base.interfaces import IPloneSiteRoot
from transaction.interfaces import NoTransaction
from typing import Any
from urllib.parse import urlsplit
from ZODB.Connection import Connection
from zope.component.hooks import setSite
from zope.globalrequest import clearRequest
from zope.globalrequest import setRequest
from zope.interface import directlyProvides
from zope.publisher.browser import setDefaultSkin
from ZPublisher.BaseRequest import RequestContainer
from ZPublisher.HTTPRequest import HTTPRequest
from ZPublisher.HTTPResponse import HTTPResponse

import transaction


PROFILE = "niteoweb.click2sell:default"

#: Variables of a request that addresses and languages are made from.
VARIABLES = ("LANGUAGE", "LANGUAGE_TOOL", "SERVER_URL", "VirtualRootPhysicalPath")
#: Variables of the environment that say who the visitor is.
PERSONAL = ("HTTP_AUTHORIZATION", "HTTP_COOKIE", "QUERY_STRING")


class _Transactions(transaction.TransactionManager):
    """A transaction manager that keeps no transaction of a database server open in between."""

    def begin(self) -> transaction.Transaction:
        """Begin a transaction in the place of the one before."""
        self.abort()
        return super().begin()

    def abort(self) -> None:
        """End the transaction, if there is one, as a database asks for that is closed."""
        with suppress(NoTransaction):
            super().abort()


def manage_transactions() -> None:
    """Give this thread alone a transaction manager of ours, before its first transaction."""
    transaction.manager.manager = _Transactions(explicit=True)


@dataclass(frozen=True)
class Surroundings:
    """The host, virtual host, language and browser layers of a request, as plain values.

    By default those of a script, which does not know the site's address.
    """

    environ: dict[str, str] = field(
        default_factory=lambda: {"SERVER_NAME": "nohost", "SERVER_PORT": "80"}
    )
    script: tuple[str, ...] = ()
    variables: dict[str, Any] = field(default_factory=dict)
    layers: tuple[Any, ...] = ()

    @classmethod
    def of(cls, request: Any) -> "Surroundings":
        """The surroundings of a request."""
        environ = {
            name: value
            for name, value in request.environ.items()
            if isinstance(value, str) and name not in PERSONAL
        }
        return cls(
            environ,
            tuple(request._script),
            {name: request.other[name] for name in VARIABLES if name in request.other},
            _layers(request),
        )

    @classmethod
    def at(cls, address: str, path: tuple[str, ...]) -> "Surroundings":
        """The surroundings of a request to a site at its public address.

        :param path: physical path of the site.
        """
        parts = urlsplit(address)
        port = parts.port or (443 if parts.scheme == "https" else 80)
        environ = {"SERVER_NAME": parts.hostname or "", "SERVER_PORT": str(port)}
        variables = {
            "SERVER_URL": f"{parts.scheme}://{parts.netloc}",
            "VirtualRootPhysicalPath": path,
        }
        return cls(environ, tuple(filter(None, parts.path.split("/"))), variables)

    def request(self) -> HTTPRequest:
        """A new request with these surroundings, and nothing else of the old one."""
        environ = {**self.environ, "REQUEST_METHOD": "GET", "CONTENT_LENGTH": "0"}
        request = HTTPRequest(BytesIO(), environ, HTTPResponse(stdout=BytesIO()))
        request.other.update(self.variables)
        request._script = list(self.script)
        request._resetURLS()
        if self.layers:
            directlyProvides(request, *self.layers)
        else:
            setDefaultSkin(request)
        return request


def _layers(request: Any) -> tuple[Any, ...]:
    """The browser layers of a request.

    zope.interface's own ``directlyProvidedBy`` works out the order of all interfaces anew.
    """
    provided = vars(request).get("__provides__")
    return () if provided is None else tuple(provided.__bases__[:-1])


def sites(folder: Any) -> Iterator[Any]:
    """All Plone sites with the add-on in Zope's root, or in folders of it."""
    for child in folder.objectValues():
        if not IPloneSiteRoot.providedBy(child):
            if child.meta_type == "Folder":
                yield from sites(child)
        elif has_addon(child):
            yield child


def has_addon(site: Any) -> bool:
    """Whether the add-on is installed in a site, and no upgrade step has to be run first."""
    installed = site.portal_setup.getLastVersionForProfile(PROFILE) != "unknown"
    return installed and trees.exists(site)


@contextmanager
def opened(
    connection: Connection, path: tuple[str, ...], surroundings: Surroundings
) -> Iterator[Any]:
    """Open a site for this thread.

    :param connection: of this thread to the database.
    :param path: physical path of the site; ``("",)`` for Zope's root, which is no site.
    :returns: the site.
    """
    request = surroundings.request()
    setRequest(request)
    try:
        root = connection.root()["Application"].__of__(RequestContainer(REQUEST=request))
        newSecurityManager(None, system.__of__(root.acl_users))
        site = root.unrestrictedTraverse(path[1:])
        if len(path) > 1:
            setSite(site)
        yield site
    finally:
        setSite(None)
        noSecurityManager()
        clearRequest()
        request.close()
