"""Site Setup: a buyer, with the reasons for its products and groups."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from niteoweb.click2sell import _
from niteoweb.click2sell import timestamps
from niteoweb.click2sell.browser.desk import buyercures
from niteoweb.click2sell.browser.desk.cures import Cure
from niteoweb.click2sell.browser.desk.ownerpage import OwnerPage
from niteoweb.click2sell.browser.words import answers
from niteoweb.click2sell.browser.words import formatting
from niteoweb.click2sell.browser.words import products
from niteoweb.click2sell.browser.words import timeline as happenings
from niteoweb.click2sell.browser.words.formatting import Link
from niteoweb.click2sell.buyers import buyers
from niteoweb.click2sell.entitlement import mapping
from niteoweb.click2sell.entitlement import Product as Bought
from niteoweb.click2sell.entitlement import State
from niteoweb.click2sell.explain import explanation
from niteoweb.click2sell.explain import groups as membership
from niteoweb.click2sell.explain import obstacles
from niteoweb.click2sell.explain import ProductAccess
from niteoweb.click2sell.ledger import ledger
from niteoweb.click2sell.ledger import reasons
from niteoweb.click2sell.notification import OWNER
from niteoweb.click2sell.owner import commands
from niteoweb.click2sell.owner import forms
from niteoweb.click2sell.report import labels
from Products.Five.browser.pagetemplatefile import ViewPageTemplateFile
from typing import Any
from urllib.parse import urlencode
from zExceptions import NotFound
from zope.i18nmessageid import Message


#: How a member stands to a group, as a badge.
GROUPS = {
    membership.GRANTED: formatting.Badge(_("member"), "text-bg-success"),
    membership.BY_HAND: formatting.Badge(_("added by hand"), "text-bg-success"),
    membership.TAKEN: formatting.Badge(_("removed by hand"), "text-bg-dark"),
    membership.MISSING: formatting.Badge(_("group does not exist"), "text-bg-danger"),
    membership.BARRED: formatting.Badge(_("group cannot be used"), "text-bg-danger"),
    membership.WAITING: formatting.Badge(_("not added yet"), "text-bg-warning"),
}

#: Notifications that explain a product: the first, and the latest ones.
CAUSES = 6

#: Events on the page; the reader can ask for a longer history.
RECENT = 100


@dataclass(frozen=True)
class Product:
    """A product of the buyer.

    :ivar because: the notifications that explain its state.
    :ivar actions: the pages on which an owner can change it.
    """

    shown: products.ProductLine
    because: tuple[Link, ...]
    actions: tuple[Link, ...]


@dataclass(frozen=True)
class Group:
    """A group that the buyer is in, or should be.

    :ivar reasons: sentences, each with the notification that it is about.
    """

    name: str
    badge: formatting.Badge
    reasons: tuple[Link, ...]


class MemberView(OwnerPage):
    """A buyer's page."""

    template = ViewPageTemplateFile("../templates/member.pt")
    tab = "click2sell-members"
    copy_warning = _("This is a copy of the site: its mails wait.")

    def __init__(self, context: Any, request: Any, list_url: str, buyer_id: str) -> None:
        super().__init__(context, request)
        self.list_url = list_url
        self.buyer_id = buyer_id
        self.url = f"{list_url}/{buyer_id}"
        self.back = Link(_("All members"), list_url)

    def __call__(self) -> str:
        if self.buyer is None:
            raise NotFound(self.buyer_id)
        return super().__call__()

    @cached_property
    def buyer(self) -> buyers.Buyer | None:
        """The record, None when there is none."""
        return buyers.get(self.context, self.buyer_id)

    @cached_property
    def explained(self) -> explanation.Explanation:
        """The explanation of the buyer's products, groups and obstacle."""
        return explanation.explain(self.context, self.buyer, timestamps.now())

    @property
    def title(self) -> str:
        """The buyer's name, or its address."""
        return self.explained.name or self.explained.addresses[0]

    # Why the buyer cannot get in

    @property
    def obstacle(self) -> Message | None:
        """The reason why the buyer has no access, None for no such reason."""
        obstacle = self.explained.obstacle
        if obstacle is None:
            return None
        return obstacles.text(
            obstacle, lambda at: formatting.moment(at).text, formatting.translated
        )

    @property
    def obstacle_url(self) -> str:
        """Address of the notification that the obstacle comes from, "" for none."""
        obstacle = self.explained.obstacle
        return self._url(obstacle.key) if obstacle is not None and obstacle.key else ""

    @property
    def has_access(self) -> bool:
        """Whether the buyer has access to a product."""
        return any(standing.access for standing in self.explained.standings)

    @cached_property
    def cure(self) -> Cure | None:
        """The cure of the obstacle, None for nothing."""
        if not self.may_operate:
            return None
        return buyercures.of_obstacle(self.context, self.buyer, self.explained)

    @cached_property
    def needs(self) -> list[buyercures.Need]:
        """The notifications that need somebody, but for that of the obstacle."""
        obstacle = self.explained.obstacle
        told = obstacle.key if obstacle is not None else ""
        return buyercures.needs(self.context, self.buyer, told)

    @property
    def answer(self) -> str:
        """The answer to paste into a mail to the buyer, "" for nothing."""
        return answers.text(self.explained, self.buyer["user_id"])

    # The account

    @property
    def facts(self) -> formatting.Facts:
        """The facts about the account: a label, and the lines beside it."""
        explained, lines = self.explained, [self.account(self.buyer)]
        stored = Link(
            _("Download or erase what is stored about the buyer"),
            self.url_of("click2sell-privacy", address=explained.addresses[0]),
        )
        if explained.exists:
            made, before = _("created for the first purchase"), _("older than the purchases")
            lines.append(Link(made if self.buyer["made"] else before))
        return formatting.facts(
            (_("Addresses"), [*explained.addresses, stored]), (_("Account"), lines)
        )

    # Actions

    @property
    def actions(self) -> list[Link]:
        """The actions for the buyer that concern no product, without the cure."""
        names = ["resend"] if self.explained.exists and self.buyer["live"] else []
        actions = [self._action(name) for name in [*names, "grant", "note"]]
        return [one for one in actions if self.cure is None or one.url != self.cure.url]

    def _actions(self, access: ProductAccess) -> list[Link]:
        """The actions for a product."""
        product = forms.product_value((access.provider, access.product_id))
        query = urlencode({"product": product})
        names = []
        if access.end is not None and access.state not in (State.REFUNDED, State.PROVISIONAL):
            names.append("extend")
        if access.access:
            names.append("revoke")
        decide = f"{self._url(access.causes[0]['key'])}/decide"
        actions = [self._action(name, f"?{query}") for name in names]
        return [*actions, Link(_("Correct the buyer"), decide)]

    def _action(self, name: str, query: str = "") -> Link:
        return Link(commands.COMMANDS[name].title, f"{self.url}/{name}{query}")

    @cached_property
    def undo(self) -> dict[str, Cure]:
        """The buttons that undo acts by hand, by the keys of these acts."""
        if not self.may_operate:
            return {}
        return buyercures.undo(self.context, self.buyer, timestamps.now())

    # Products and groups

    @property
    def products(self) -> list[Product]:
        """The buyer's products, those with access first."""
        accesses = sorted(self.explained.standings, key=lambda standing: not standing.access)
        return [
            Product(
                products.line(access, self.explained.opened),
                tuple(self._causes(access.causes)),
                tuple(self._actions(access)),
            )
            for access in accesses
        ]

    @property
    def groups(self) -> list[Group]:
        """The groups that the buyer is in or should be, with the chain that explains each."""
        return [
            Group(
                name=group.title,
                badge=GROUPS[group.standing],
                reasons=tuple(self._reasons(group)),
            )
            for group in self.explained.groups
        ]

    # What happened

    @property
    def everything(self) -> bool:
        """Whether the reader asked for the whole history."""
        return "all" in self.request.form

    @property
    def more(self) -> int:
        """The number of events that are not shown."""
        return 0 if self.everything else max(len(self.explained.timeline) - RECENT, 0)

    @property
    def timeline(self) -> list[happenings.EventLine]:
        """The events of the buyer's timeline, the newest first."""
        events = self.explained.timeline[: None if self.everything else RECENT]
        return [happenings.line(event, self._url()) for event in events]

    def _url(self, key: str = "") -> str:
        """Address of the list of notifications, or of one of them."""
        url = self.url_of("click2sell-notifications")
        return f"{url}/{key}" if key else url

    def _reasons(self, group: membership.Membership) -> list[Link]:
        links = []
        if group.standing == membership.BY_HAND:
            links.append(Link(_("Added by hand.")))
        if group.at is not None:
            at = {"time": formatting.moment(group.at).text}
            text = _("Somebody took the member out on ${time}.", mapping=at)
            links.append(Link(text))
        if group.problem:
            links.append(Link(reasons.text(group.problem, group.id)))
        links += [self._because(grounds) for grounds in group.reasons if grounds.causes]
        return links

    def _because(self, grounds: membership.Grounds) -> Link:
        cause = grounds.causes[0]
        names = {
            "what": self._named(cause),
            "product": self._product_names.get(grounds.product, grounds.product[1]),
        }
        if grounds.product == mapping.EVERY_BUYER:
            text = _("Because of ${what}: the group of all buyers", mapping=names)
        elif grounds.line is None:
            text = _(
                "Because of ${what}: ${product}, which does not give this group any more",
                mapping=names,
            )
        else:
            text = _("Because of ${what}: ${product}", mapping=names)
        return Link(text, self._url(cause["key"]))

    @cached_property
    def _product_names(self) -> dict[Bought, str]:
        return {one.product: one.name for one in self.explained.standings if one.name}

    def _causes(self, causes: Sequence[ledger.Entry]) -> list[Link]:
        """The notifications that explain a product; of many the first and the latest ones."""
        links, left_out = [self._link(cause) for cause in causes], len(causes) - CAUSES
        if left_out > 1:
            more = Link(_("and ${number} more", mapping={"number": left_out}), "#history")
            links[1 : 1 + left_out] = [more]
        return links

    def _link(self, cause: ledger.Entry) -> Link:
        return Link(self._named(cause), self._url(cause["key"]))

    def _named(self, cause: ledger.Entry) -> str:
        """A notification in a few words, such as "purchase R-123 on 3 May"."""
        names = {
            "kind": formatting.translated(labels.kind(cause)),
            "receipt": cause["receipt"],
            "date": formatting.day(timestamps.from_iso(cause["occurred_at"])),
        }
        if cause["receipt"] and cause["provider"] != OWNER:
            return formatting.translated(_("${kind} ${receipt} on ${date}", mapping=names))
        return formatting.translated(_("${kind} on ${date}", mapping=names))
