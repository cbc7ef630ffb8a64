"""Somebody with a browser, or a program, that talks to the demo's site over HTTP."""

from base64 import b64encode
from collections.abc import Mapping
from html import escape
from http.cookiejar import CookieJar
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import build_opener
from urllib.request import HTTPCookieProcessor
from urllib.request import ProxyHandler
from urllib.request import Request

import json


TIMEOUT = 60


def basic(login: str, password: str) -> str:
    """The header ``Authorization`` of somebody."""
    return f"Basic {b64encode(f'{login}:{password}'.encode()).decode()}"


class Visitor:
    """A visitor, with cookies of its own.

    :param site: the site's address.
    :param user: login name and password for requests of a program, which need no cookie.
    """

    def __init__(self, site: str, user: tuple[str, str] | None = None) -> None:
        self.site = site
        self._headers = {}
        if user is not None:
            self._headers["Authorization"] = basic(*user)
        # A proxy of this machine has no business with its own loopback interface.
        self._opener = build_opener(ProxyHandler({}), HTTPCookieProcessor(CookieJar()))

    def page(self, path: str, form: Mapping[str, str] | None = None) -> tuple[int, str, str]:
        """Open a page, as a browser does; with a form it is posted.

        :returns: status, the address where redirects led to, and the text.
        """
        return self._open(path, {}, None if form is None else urlencode(form).encode())

    def json(self, path: str) -> Any:
        """Ask a service of the site; None when the answer is not 200."""
        status, _, text = self._open(path, {"Accept": "application/json"})
        return json.loads(text) if status == 200 else None

    def send(self, method: str, path: str, value: Any = None) -> tuple[int, Any]:
        """Ask a service of the site to do something.

        :param value: goes out as JSON.
        :returns: status, and what it answers, None for nothing.
        """
        headers = {"Accept": "application/json", "Content-Type": "application/json"}
        body = None if value is None else json.dumps(value).encode()
        status, _, text = self._open(path, headers, body, method)
        return status, json.loads(text) if text else None

    def log_in(self, login: str, password: str) -> bool:
        """Use the login form, then open a page that only somebody logged in gets.

        :returns: whether that page opened and shows this login name.
        """
        self.page(
            "/login", {"__ac_name": login, "__ac_password": password, "buttons.login": "Log in"}
        )
        status, address, text = self.page("/@@personal-information")
        opened = status == 200 and address.endswith("/@@personal-information")
        return opened and escape(login) in text

    def _open(
        self,
        path: str,
        headers: Mapping[str, str],
        body: bytes | None = None,
        method: str | None = None,
    ) -> tuple[int, str, str]:
        request = Request(  # noqa: S310
            self.site + path, body, {**self._headers, **headers}, method=method
        )
        try:
            with self._opener.open(request, timeout=TIMEOUT) as response:
                return response.status, response.url, response.read().decode("utf-8")
        except HTTPError as error:
            with error:
                return error.code, error.url, error.read().decode("utf-8", "replace")
