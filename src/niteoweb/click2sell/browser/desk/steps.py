"""The set-up in five steps, each with its act beside it."""

from collections.abc import Callable
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from html import escape
from niteoweb.click2sell import _
from niteoweb.click2sell import site as plone_site
from niteoweb.click2sell.browser.desk.ownerpage import OwnerPage
from niteoweb.click2sell.browser.settings.producttable import NEW
from niteoweb.click2sell.browser.words import formatting
from niteoweb.click2sell.entitlement import Product
from niteoweb.click2sell.interfaces import IPaymentProvider
from niteoweb.click2sell.member import group
from niteoweb.click2sell.member import pages
from niteoweb.click2sell.provider import registry
from niteoweb.click2sell.settings import effective
from niteoweb.click2sell.settings import orderlinks
from niteoweb.click2sell.settings import ownaddress
from niteoweb.click2sell.settings import products
from niteoweb.click2sell.settings import rules
from niteoweb.click2sell.settings import secretkeys
from niteoweb.click2sell.setup import memberspage
from niteoweb.click2sell.storage import NotPossible
from niteoweb.click2sell.storage import transactions
from niteoweb.click2sell.storage import writer
from Products.Five.browser.pagetemplatefile import ViewPageTemplateFile
from typing import Any
from zope.i18nmessageid import Message


@dataclass(frozen=True)
class Step:
    """A step of the set-up.

    :ivar name: of its part of the template.
    """

    name: str
    title: Message
    done: bool


@dataclass(frozen=True)
class OrderLink:
    """A product, and the address on this site that leads to its order page.

    :ivar url: "" while no order page is known.
    :ivar button: HTML of a button that leads there, "" without a link.
    :ivar provider: of the product.
    :ivar lines: numbers of its lines in the settings of the provider.
    """

    id: str
    product: str
    url: str
    button: str
    provider: IPaymentProvider
    lines: tuple[int, ...]


class Steps(OwnerPage):
    """The part of the overview for those who may configure."""

    template = ViewPageTemplateFile("../templates/steps.pt")
    new_folder = _("Create a new folder")
    new_group = NEW

    def __init__(self, context: Any, request: Any) -> None:
        super().__init__(context, request)
        self.action = self.url_of("click2sell-overview")
        # Errors are logged with the form: it must not have the key in it.
        self.key = request.form.pop("key", "")

    @cached_property
    def all(self) -> list[Step]:
        """The five steps."""
        can_mail = bool(self.public_address) and not self.no_sender
        return [
            Step("provider", _("Connect a payment provider"), self.secret_key_is_set),
            Step("products", _("Products and groups"), bool(self.groups)),
            Step("trial", _("A test purchase"), not self.nothing_yet),
            Step("mail", _("Mail and public address"), can_mail),
            Step(
                "pages",
                _("A page for members, and an order link"),
                bool(self.pages) and any(link.url for link in self.order_links),
            ),
        ]

    @property
    def done(self) -> int:
        """The number of steps that are done."""
        return sum(step.done for step in self.all)

    @property
    def complete(self) -> bool:
        """Whether all of them are done."""
        return self.done == len(self.all)

    # A payment provider

    @property
    def secret_key_is_set(self) -> bool:
        """Whether a notification could be accepted."""
        return any(secretkeys.is_set(provider) for provider in registry.to_set_up())

    @property
    def senders(self) -> list[formatting.Link]:
        """The providers that notifications are to come from, each with the address for them."""
        return [
            formatting.Link(provider.title, effective.callback_address(provider))
            for provider in registry.to_set_up()
        ]

    @property
    def can_enter_key(self) -> bool:
        """Whether the key of the main provider is missing, and no other one is in use."""
        return not self.secret_key_is_set and registry.main() in registry.to_set_up()

    @property
    def main_title(self) -> str:
        """The title of the provider whose key can be entered."""
        return registry.main().title

    @property
    def other_providers(self) -> list[formatting.Link]:
        """The settings of the other providers."""
        return [
            formatting.Link(one.title, self.url_of(f"{one.name}-settings"))
            for one in registry.registered()
            if one is not registry.main()
        ]

    # Products and groups

    @cached_property
    def groups(self) -> list[str]:
        """The groups that products give."""
        return sorted({line.group_id for line in effective.mapping()})

    @property
    def readers(self) -> list[tuple[str, str]]:
        """The groups that products give, each as its id and its title."""
        return [(one, group.title(one)) for one in self.groups]

    @property
    def products(self) -> list[str]:
        """Each product with its groups, in words."""
        given: dict[str, list[str]] = {}
        for line in effective.mapping():
            name = products.title(line.provider, line.product_id)
            given.setdefault(name, []).append(group.title(line.group_id))
        return [f"{name}: {', '.join(groups)}" for name, groups in given.items()]

    @property
    def choices(self) -> list[tuple[str, str]]:
        """The groups that the site has, with their titles."""
        return group.choices()

    # Mail

    @property
    def no_sender(self) -> bool:
        """Whether the site has no address to send from."""
        return not plone_site.sender()[1]

    @property
    def public_address(self) -> str:
        """The public address, "" for none."""
        return plone_site.public_address()

    @property
    def here(self) -> str:
        """The address that the reader is at, "" if it cannot be the public one."""
        return ownaddress.requested()

    # A page for members, and an order link

    @cached_property
    def pages(self) -> list[pages.SharedPage]:
        """The pages that members of these groups can read, and visitors cannot."""
        return pages.shared_with(self.groups)

    @property
    def folders(self) -> list[tuple[str, str]]:
        """The folders to choose from."""
        return memberspage.folders()

    @cached_property
    def order_links(self) -> list[OrderLink]:
        """A link for each product."""
        return list(self._order_links())

    def _order_links(self) -> Iterator[OrderLink]:
        seen: dict[Product, list[int]] = {}
        for line in effective.mapping():
            seen.setdefault((line.provider, line.product_id), []).append(line.number)
        for number, ((provider, product_id), lines) in enumerate(seen.items()):
            url, button, title = "", "", products.title(provider, product_id)
            if products.order_page(provider, product_id):
                url = f"{self.context.absolute_url()}/{orderlinks.path(provider, product_id)}"
                text = formatting.translated(_("Buy ${product}", mapping={"product": title}))
                button = f'<a class="btn btn-primary" href="{escape(url)}">{escape(text)}</a>'
            id_, seller = f"order-{number}", registry.get(provider)
            yield OrderLink(id_, title, url, button, seller, tuple(lines))

    # The acts

    def typed(self, step: str, name: str) -> str:
        """The text in a field of a step that could not be done; it need not be typed again."""
        return self.text(name) if self.text("step") == step else ""

    def act(self, name: str) -> None:
        """Carry out a step of the set-up; the reader may configure, and the token was right.

        :raises NotPossible: it cannot be done.
        """
        acts: dict[str, Callable[[], Message]] = {
            "key": self._save_key,
            "product": self._add_product,
            "address": self._save_address,
            "order": self._save_order_page,
            "folder": self._prepare_folder,
        }
        if name in acts:
            self.say(acts[name]())

    def _save_key(self) -> Message:
        key = self.key.strip() if isinstance(self.key, str) else ""
        if not key:
            raise NotPossible(_("Enter the secret key."))
        _save({"secretkey": key})
        return _("The secret key was saved.")

    def _add_product(self) -> Message:
        names = ("product", "group", "days", "title", "order")
        product_id, group_id, days, title, order = map(self.text, names)
        if group_id == NEW:
            group_id = self.text("new_group")
        if not product_id or not group_id:
            raise NotPossible(_("Enter the id of the product and the name of a group."))
        texts = (product_id, group_id, days, title, order)
        if any("|" in text for text in texts) or product_id.startswith("#"):
            raise NotPossible(_("These characters cannot be used: | and # at the beginning."))
        named = [f"title={title}" if title else "", f"order={order}" if order else ""]
        line = "|".join(filter(None, (product_id, group_id, days, *named)))
        is_new = not group.exists(group_id)
        problems = [*rules.line_problems(line)]
        problems += rules.group_problems(group_id) if is_new else ()
        for problem in problems:
            raise NotPossible(problem)

        def work(_site: Any) -> None:
            if is_new:
                group.make(group_id, group_id)
            _save({"mapping": [*(plone_site.settings().mapping or ()), line]})

        writer.run(work)
        return _("The product was added.")

    def _save_address(self) -> Message:
        if not self.here:
            raise NotPossible(_("Open this page at the public address of the site first."))
        _save({"site_address": self.here})
        return _("The public address was saved.")

    def _save_order_page(self) -> Message:
        chosen = next((one for one in self.order_links if one.id == self.text("link")), None)
        order = self.text("order")
        if chosen is None or not order or "|" in order:
            raise NotPossible(_("Enter the address of the order page."))
        for problem in rules.line_problems(f"product|group|order={order}"):
            raise NotPossible(problem)
        # A line may have it in one place only, as its last part.
        lines, added = [], False
        for number, line in enumerate(registry.settings(chosen.provider).mapping or (), 1):
            is_its = number in chosen.lines and not added
            lines.append(f"{line}|order={order}" if is_its else line)
            added = added or is_its
        _save({"mapping": lines}, chosen.provider)
        return _("The order page was saved.")

    def _prepare_folder(self) -> Message:
        group_id = self.text("group")
        if group_id not in self.groups:
            raise NotPossible(_("Choose a group."))
        folder, public = memberspage.prepare(
            self.context, self.text("folder"), self.text("title"), group_id
        )
        # It is made with the reader's own permissions, so not by the writer.
        transactions.commit()
        names = {"folder": folder.Title(), "group": group.title(group_id), "number": public}
        if public:
            return _(
                "${folder} is private now, and members of ${group} can read it. Pages in it "
                "that are published stay open to everybody: ${number}. Make them private, too.",
                mapping=names,
            )
        return _(
            "${folder} is private, and members of ${group} can read it.",
            mapping=names,
        )


def _save(values: dict[str, Any], provider: IPaymentProvider | None = None) -> None:
    """Have the writer save settings of a provider, or those of the add-on.

    :raises NotPossible: one of them is wrong.
    """

    def work(_site: Any) -> None:
        normal = rules.normalize(values)
        for _name, message in rules.validate(normal, provider):
            raise NotPossible(message)
        rules.save(normal, provider)

    writer.run(work)
