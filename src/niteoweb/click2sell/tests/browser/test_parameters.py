"""Odd values of every parameter of all pages and services, which are found by registration."""

from functools import cached_property
from niteoweb.click2sell import site as plone_site
from niteoweb.click2sell.owner import commands
from niteoweb.click2sell.owner import decisions
from niteoweb.click2sell.provider import registry
from niteoweb.click2sell.tests.cases.oddvalues import JSONS
from niteoweb.click2sell.tests.cases.oddvalues import MARK
from niteoweb.click2sell.tests.cases.oddvalues import TEXTS
from niteoweb.click2sell.tests.cases.services import MANAGER
from niteoweb.click2sell.tests.cases.services import ServiceTestCase
from niteoweb.click2sell.tests.cases.ways import Way
from niteoweb.click2sell.tests.cases.ways import ways
from plone import api
from plone.app.testing import TEST_USER_PASSWORD
from urllib.parse import quote
from zope.component import getGlobalSiteManager
from zope.component import provideHandler
from ZPublisher.interfaces import IPubAfterTraversal

import re
import requests


OWNER = ("everything", TEST_USER_PASSWORD)


class _Spy(dict):
    """The form of a request, which notes the names that are asked for."""

    def __init__(self, form, names):
        super().__init__(form)
        self._names = names

    def get(self, name, default=None):
        self._names.add(name)
        return super().get(name, default)

    def __getitem__(self, name):
        self._names.add(name)
        return super().__getitem__(name)

    def __contains__(self, name):
        self._names.add(name)
        return super().__contains__(name)


class ParametersTestCase(ServiceTestCase):
    """A person with all permissions of the add-on: a Manager would be shown tracebacks."""

    def setUp(self):
        super().setUp()
        with self.owner():
            api.user.create(username=OWNER[0], email="owner@example.org", password=OWNER[1])
            self.portal._addRole("Everything")
            for permission in ("Configure", "View", "Operate", "Validate"):
                purchases = "" if permission == "Configure" else " purchases"
                self.portal.manage_permission(
                    f"Click2Sell: {permission}{purchases}", ["Everything"], acquire=True
                )
            sell = "Click2Sell: Sell in the store"
            self.portal.manage_permission(sell, ["Everything"], acquire=True)
            self.portal.acl_users.userFolderEditUser(OWNER[0], None, ["Everything"], [])
        self.settings(site_address=self.portal.absolute_url())
        self.names = set()
        provideHandler(self._spy, (IPubAfterTraversal,))
        self.addCleanup(
            getGlobalSiteManager().unregisterHandler, self._spy, (IPubAfterTraversal,)
        )
        self.buy()
        # Plone's frame around a page asks for more, and so does the publisher.
        self.call(Way("@@my-purchases"), "GET")
        self.frame = frozenset(self.names)

    def _spy(self, event):
        event.request.form = _Spy(event.request.form, self.names)

    def call(self, way, method, query="", body=None, headers=()):
        """Call a page or a service, and look at what none may answer."""
        kind = {"Accept": "application/json"} if way.method else {}
        answer = requests.request(
            method,
            f"{self.portal.absolute_url()}/{way.path}?{query}",
            data=body,
            # Plone wants its own permission, too, for a change of a control panel.
            auth=MANAGER if way.method == "PATCH" else OWNER,
            headers={**kind, **dict(headers)},
            allow_redirects=False,
            timeout=60,
        )
        shown = (way, method, query[:300], (body or "")[:300])
        self.assertLess(answer.status_code, 500, shown)
        self.assertNotEqual(answer.status_code, 401, shown)
        self.assertNotIn("X-Injected", answer.headers, shown)
        self.assertNotIn("Traceback", answer.text, shown)
        if "html" in answer.headers.get("Content-Type", ""):
            self.assertNotIn(MARK, answer.text, shown)
        if way.method != "PATCH":
            # plone.rest shows it to a Manager.
            self.assertNotIn("traceback", answer.text, shown)
            self.assertIn("no-store", answer.headers.get("Cache-Control", ""), shown)
        return answer

    def form(self, values):
        """A form with the token of a page of this site."""
        return f"_authenticator={self.token}&{values}"

    @cached_property
    def token(self):
        page = self.call(Way("@@click2sell-reconcile"), "GET")
        return re.search(r'name="_authenticator"\s+value="(\w+)"', page.text)[1]

    def asked_for(self, way, method):
        """The names of the parameters that a page or service asks for."""
        found, before = set(), None
        while before != len(found):
            before = len(found)
            self.names.clear()
            values = "&".join(f"{quote(name)}=1" for name in found)
            if method == "POST":
                self.call(way, method, body=self.form(values), headers=FORM)
            else:
                self.call(way, method, values)
            found |= {name for name in self.names - self.frame if NAME.fullmatch(name)}
        return found

    def squares(self, names, values):
        """Assignments in which each name has each value once."""
        names = sorted(names)
        for shift in range(len(values) if names else 0):
            yield {
                name: values[(shift + 7 * number) % len(values)]
                for number, name in enumerate(names)
            }

    @property
    def pages(self):
        """The pages, and those that the rest of a path leads to."""
        callbacks = {f"@@{provider.callback}" for provider in registry.registered()}
        buyer, key = self.buyer()["id"], self.key()
        yield from (way for way in ways() if not way.method and way.path not in callbacks)
        for rest in ("", "/decide"):
            yield Way(f"@@click2sell-notifications/{key}{rest}")
        yield Way(f"@@click2sell-members/{buyer}")
        yield Way("@@click2sell-members/grant")
        for name in commands.COMMANDS:
            yield Way(f"@@click2sell-members/{buyer}/{name}")

    @property
    def services(self):
        """The services, and those that the rest of a path leads to."""
        buyer, key = self.buyer()["id"], self.key()
        yield from (way for way in ways() if way.method)
        yield Way("@click2sell-members/grant", "POST")
        for name in commands.COMMANDS:
            yield Way(f"@click2sell-members/{buyer}/{name}", "POST")
        for name in ("replay", *decisions.DECISIONS):
            yield Way(f"@click2sell-notifications/{key}/{name.replace('_', '-')}", "POST")


NAME = re.compile(r"[a-z][a-z0-9_.-]*")
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
JSON = {"Content-Type": "application/json"}


class TestPages(ParametersTestCase):
    def walk(self, method):
        walked = {}
        for way in self.pages:
            names = self.asked_for(way, method)
            walked[way.path] = names
            for values in self.squares(names, TEXTS):
                query = "&".join(f"{quote(name)}={value}" for name, value in values.items())
                if method == "POST":
                    self.call(way, method, body=self.form(query), headers=FORM)
                else:
                    self.call(way, method, query)
            # Zope makes a list of them.
            twice = "&".join(
                f"{quote(name)}={value}" for name in sorted(names) for value in "12"
            )
            self.call(way, "GET", twice)
        return walked

    def test_get(self):
        walked = self.walk("GET")
        self.assertLessEqual({"month", "from", "to"}, walked["@@click2sell-accounting.csv"])
        self.assertLessEqual({"search", "outcome"}, walked["@@click2sell-notifications"])
        self.assertIn("address", walked["@@click2sell-privacy"])

    def test_post(self):
        walked = self.walk("POST")
        self.assertIn("form.widgets.mapping", walked["@@click2sell-settings"])
        self.assertLessEqual({"address", "name"}, walked["@@click2sell-members/grant"])

    def test_no_text(self):
        """Half a character is refused in each single parameter, and under any name."""
        for way in self.pages:
            for query in ("address=%FF", "from=%FF&from=1", "any=x%ED%A0%80", "month=%FF"):
                answer = self.call(way, "GET", query)
                self.assertEqual(answer.status_code, 400, (way, query))


class TestServices(ParametersTestCase):
    def test_get(self):
        walked = {}
        for way in self.services:
            if way.method != "GET" or way.path.startswith("@controlpanels"):
                continue
            walked[way.path] = names = self.asked_for(way, "GET")
            for values in self.squares(names, TEXTS):
                self.call(way, "GET", "&".join(f"{n}={v}" for n, v in values.items()))
            self.assertEqual(self.call(way, "GET", "any=%FF").status_code, 400)
        self.assertIn("address", walked["@click2sell-privacy"])
        self.assertLessEqual({"b_start", "b_size", "search"}, walked["@click2sell-members"])

    def options(self, way):
        """The names of the options of a service, as it tells them."""
        text = self.call(way, "POST", body='{"?": 1}', headers=JSON).json().get("message", "")
        return re.findall(r"[a-z_]+", text.partition("Possible:")[2])

    def test_post(self):
        for way in self.services:
            if way.method != "POST" or not (names := self.options(way)):
                continue
            for values in self.squares(names, JSONS):
                if "dry_run" in names:
                    values["dry_run"] = "true"
                self._send(way, "POST", values)
            for name in names:
                answer = self._send(way, "POST", {name: JSONS[0]})
                self.assertEqual(answer.status_code, 400, (way, name))
            twice = '{"dry_run": true, "dry_run": true}'
            answer = self.call(way, "POST", body=twice, headers=JSON)
            self.assertEqual(answer.status_code, 400, way)

    def test_patch(self):
        for way in self.services:
            if way.method != "PATCH":
                continue
            panel = registry.get(way.path.rpartition("/")[2])
            for values in self.squares(panel.schema, JSONS):
                self._send(way, "PATCH", values)
            for value in JSONS[:3]:
                self.assertEqual(self._send(way, "PATCH", {"mapping": value}).status_code, 400)
            twice = '{"mapping": [], "mapping": []}'
            answer = self.call(way, "PATCH", body=twice, headers=JSON)
            self.assertEqual(answer.status_code, 400)
        self.assertTrue(plone_site.settings())

    def _send(self, way, method, values):
        body = ", ".join(f'"{name}": {value}' for name, value in values.items())
        return self.call(way, method, body=f"{{{body}}}", headers=JSON)
