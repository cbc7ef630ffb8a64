"""People who come from a directory: a plugin of the user folder with odd values."""

from niteoweb.click2sell.command.reindex import note_logins
from niteoweb.click2sell.member import accounts
from niteoweb.click2sell.member import group
from niteoweb.click2sell.member import index
from niteoweb.click2sell.member import principal
from niteoweb.click2sell.privacy import export
from niteoweb.click2sell.setup import adoption
from niteoweb.click2sell.storage import transactions
from niteoweb.click2sell.tests.cases.layers import SHOP_HTTP
from niteoweb.click2sell.tests.cases.pages import PageTestCase
from niteoweb.click2sell.tests.cases.site import EMAIL
from plone.app.testing import applyProfile
from Products.PluggableAuthService.interfaces.plugins import IGroupsPlugin
from Products.PluggableAuthService.interfaces.plugins import IPropertiesPlugin
from Products.PluggableAuthService.interfaces.plugins import IUserEnumerationPlugin
from Products.PluggableAuthService.interfaces.propertysheets import IPropertySheet
from Products.PluggableAuthService.plugins.BasePlugin import BasePlugin
from typing import ClassVar
from zope.interface import implementer

import json
import transaction


class Odd:
    """A value that can do nothing."""

    def __str__(self):
        raise RuntimeError

    __repr__ = __bool__ = __eq__ = __hash__ = __iter__ = __len__ = __str__


#: Values for "jim@example.org", and the addresses that count.
VALUES = (
    ("jim@example.org", ["jim@example.org"]),
    (" Jim@Example.org ", ["jim@example.org"]),
    (["jim@example.org"], ["jim@example.org"]),
    (("jim@example.org", "j@example.org"), ["jim@example.org", "j@example.org"]),
    (["", None, 5, b"x", "jim@example.org", ["nested"], Odd()], ["jim@example.org"]),
    (frozenset({"jim@example.org"}), ["jim@example.org"]),
    ((), []),
    (b"jim@example.org", []),
    (bytearray(b"jim@example.org"), []),
    (None, []),
    (0, []),
    (5, []),
    (1.5, []),
    (True, []),
    ({"jim@example.org": 1}, []),
    (Odd(), []),
    (object(), []),
    (object, []),
    (RuntimeError, []),
    ("\udcff@example.org", ["\udcff@example.org"]),
)


@implementer(IPropertySheet)
class Sheet:
    """Properties as a directory has them; an error is raised in place of its class."""

    def __init__(self, values):
        self.values = values

    def getId(self):
        return "directory"

    def hasProperty(self, name):
        return name in self.values

    def getProperty(self, name, default=None):
        value = self.values.get(name, default)
        if value is RuntimeError:
            raise value
        return value

    def propertyItems(self):
        return list(self.values.items())


@implementer(IUserEnumerationPlugin, IPropertiesPlugin, IGroupsPlugin)
class Directory(BasePlugin):
    """A directory with one person, "jim"; what it tells is the same for each connection."""

    person: ClassVar = {}
    names: ClassVar = {}

    def enumerateUsers(self, login=None, exact_match=False, **kw):
        names = {"id": "jim", "login": "jim", **self.names}
        if exact_match and "jim" not in (kw.get("id"), login):
            return ()
        if not exact_match and (login or kw):
            return ()
        return ({"id": names["id"], "login": names["login"], "pluginid": "directory"},)

    def getPropertiesForUser(self, user, request=None):
        return Sheet(self.person) if user.getId() == "jim" else {}

    def getGroupsForPrincipal(self, user, request=None):
        return self.names.get("groups", ()) if user.getId() == "jim" else ()


class DirectoryTestCase(PageTestCase):
    layer = SHOP_HTTP

    def setUp(self):
        super().setUp()
        pas = self.portal.acl_users
        pas._setObject("directory", Directory("directory"))
        for kind in (IUserEnumerationPlugin, IPropertiesPlugin, IGroupsPlugin):
            pas.plugins.activatePlugin(kind, "directory")
            while pas.plugins.listPlugins(kind)[0][0] != "directory":
                pas.plugins.movePluginsUp(kind, ["directory"])
        transaction.commit()
        self.addCleanup(self.tells)

    def tells(self, names=(), **properties):
        """Have the directory tell of its person."""
        Directory.person, Directory.names = properties, dict(names)

    def rebuild(self):
        return transactions.run(index.rebuild)

    def found(self, address):
        return [match.user_id for match in index.find(self.portal, address)]


class TestAddresses(DirectoryTestCase):
    def test_each_text_counts(self):
        for value, addresses in VALUES:
            with self.subTest(type(value)):
                self.tells(email=value, fullname=value)
                self.rebuild()
                for address in ("jim@example.org", "j@example.org", "\udcff@example.org"):
                    expected = ["jim"] if address in addresses else []
                    self.assertEqual(self.found(address), expected)

    def test_a_changed_list(self):
        self.tells(email=["a@example.org", "b@example.org"])
        self.rebuild()
        self.tells(email=["b@example.org", "c@example.org"])
        index.update(self.portal, "jim")
        found = [self.found(f"{name}@example.org") for name in "abc"]
        self.assertEqual(found, [[], ["jim"], ["jim"]])
        self.tells(email=None)
        index.update(self.portal, "jim")
        self.assertEqual([self.found(f"{name}@example.org") for name in "abc"], [[], [], []])

    def test_sales_after_a_reindex(self):
        for number, (value, _addresses) in enumerate(VALUES):
            with self.subTest(type(value)):
                self.tells(email=value, fullname=value, product_id=value)
                self.rebuild()
                buyer = f"b{number}@example.org"
                self.buy(buyer_email=buyer, acquirer_transaction_id=f"T-{number}")
                self.assertEqual(self.groups(buyer), ["click2sell", "premium"])

    def test_the_person_buys(self):
        """Whatever comes of it, nothing fails, and every page of it opens."""
        for number, (value, _addresses) in enumerate(VALUES):
            with self.subTest(type(value)):
                self.tells(email=value, fullname=value, product_id=value, affiliate=value)
                self.rebuild()
                self.buy(
                    buyer_email="jim@example.org",
                    acquirer_transaction_id=f"T-{number}",
                    c2s_transaction_id=f"R-{number}",
                )
                self.assertIn("200", self.opened(f"/{self.key()}").headers["Status"])

    def test_a_profile_is_saved(self):
        for value, _addresses in VALUES:
            with self.subTest(type(value)):
                self.tells(email=value, fullname=value)
                with self.owner():
                    self.portal.portal_membership.getMemberById("jim").setMemberProperties(
                        {"home_page": "https://example.org"}
                    )

    def test_installation_adoption_and_reindex(self):
        for value, _addresses in VALUES:
            with self.subTest(type(value)):
                self.tells(
                    email=value,
                    fullname=value,
                    product_id=value,
                    product_name=value,
                    last_purchase_id=value,
                    last_purchase_timestamp=value,
                    affiliate=value,
                    login_time=value,
                )
                with self.owner():
                    applyProfile(self.portal, "niteoweb.click2sell:default")
                adoption.adopt(apply=True)
                transactions.run(note_logins)

    def test_every_reader(self):
        for value, _addresses in VALUES:
            with self.subTest(type(value)):
                self.tells(email=value, fullname=value, affiliate=value, login_time=value)
                for name in ("email", "fullname", "affiliate", "nothing"):
                    self.assertIsInstance(accounts.text("jim", name), str)
                json.dumps(export.plain(accounts.fields("jim", tuple(Directory.person))))
                self.assertIsInstance(accounts.names("jim")[0], str)
                accounts.never_logged_in("jim")


class TestNames(DirectoryTestCase):
    def test_login_names(self):
        for value, _addresses in VALUES:
            with self.subTest(type(value)):
                self.tells({"login": value}, email="jim@example.org")
                self.rebuild()
                # Plone itself cannot read some of these, and so has no such account.
                found = self.found("jim@example.org")
                self.assertEqual(found, ["jim"] if accounts.exists("jim") else [])
                self.assertTrue(found or not isinstance(value, bytes | int | None))
                if found:
                    self.assertIsInstance(accounts.login_name("jim"), str)

    def test_user_ids(self):
        self.account()
        for value, _addresses in VALUES:
            with self.subTest(type(value)):
                self.tells({"id": value})
                self.assertIn(EMAIL, index.everybody())
                self.rebuild()
                adoption.adopt(apply=False)

    def test_groups(self):
        for value, _addresses in VALUES:
            with self.subTest(type(value)):
                self.tells({"groups": value}, email="jim@example.org")
                self.rebuild()
                accounts.exists("jim")
                group.of("jim")
                group.left_behind("jim")
                self.buy(buyer_email="jim@example.org")

    def test_groups_and_their_titles(self):
        for value, _addresses in VALUES:
            with self.subTest(type(value)):
                self.assertEqual(
                    principal.text(_Group(value), "title").strip() != "", bool(_addresses)
                )


class _Group:
    def __init__(self, title):
        self.title = title

    def getProperty(self, name, default=None):
        if self.title is RuntimeError:
            raise RuntimeError
        return self.title
