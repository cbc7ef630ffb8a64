"""Pages where an owner does something: it is shown first, and done when it is confirmed."""

from collections.abc import Callable
from datetime import datetime
from niteoweb.click2sell import _
from niteoweb.click2sell import timestamps
from niteoweb.click2sell.browser.desk.cures import BACK
from niteoweb.click2sell.browser.desk.ownerpage import CHANGED
from niteoweb.click2sell.browser.desk.ownerpage import OwnerPage
from niteoweb.click2sell.browser.words import changes as words
from niteoweb.click2sell.browser.words import formatting
from niteoweb.click2sell.buyers import buyers
from niteoweb.click2sell.member import privilege
from niteoweb.click2sell.owner import Action
from niteoweb.click2sell.owner import action
from niteoweb.click2sell.owner import NotPossible
from niteoweb.click2sell.provisioning import Plan
from niteoweb.click2sell.provisioning import preview
from typing import Any
from zExceptions import Unauthorized
from zope.i18nmessageid import Message


class Confirmation(OwnerPage):
    """A page whose POST previews an action, and carries it out when that is confirmed.

    The button carries a fingerprint of the preview, so that nothing else is done.
    """

    copy_warning = _(
        "This is a copy of the site: what you do changes this copy only, and its mails wait."
    )
    #: The changes for each buyer; None before the preview.
    changes: tuple[words.Changes, ...] | None = None
    #: Whether somebody loses something by it: the button is red then.
    harmful = False
    #: The text of the button that carries the action out.
    confirm_label: Message = _("Confirm")
    #: The text of a preview without changes.
    unchanged: Message = _("It is saved in the history, and changes nothing else.")
    #: Whether the previewed action can be carried out.
    may_confirm = True
    #: The address of the page without the preview.
    cancel_url: str

    def __call__(self) -> Any:
        if not self.may_operate:
            raise Unauthorized(privilege.OPERATE)
        return super().__call__()

    @property
    def effects(self) -> list[tuple[Any, Any]]:
        """The changes, under the addresses of the buyers where there are several."""
        several = len(self.changes) > 1
        return [
            (one.address if several else "", one.facts or self.unchanged)
            for one in self.changes
        ]

    @property
    def fingerprint(self) -> str:
        """The fingerprint of the preview and of the form."""
        return words.fingerprint(
            (*self.asked, *(change.identity for change in self.changes or ()))
        )

    @property
    def asked(self) -> list[tuple[str, str]]:
        """Names and values of the form, to come along with the confirmation."""
        return [
            (name, value)
            for name, value in sorted(self.request.form.items())
            if isinstance(value, str)
            and name not in ("_authenticator", BACK, "change", "confirm", "fingerprint")
        ]

    def say_done(self, who: str, text: Message, kind: str = "info") -> None:
        """Tell what was done; on another page than its own also for whom.

        :param who: the buyer, or the notification.
        """
        elsewhere = self.way_back() and who
        self.say(f"{who}: {formatting.translated(text)}" if elsewhere else text, kind)

    def settle(self, make: Callable[[], Action]) -> bool:
        """Preview an action, or carry it out when that was confirmed.

        :param make: makes the action from the form; may raise NotPossible.
        :returns: whether it was done.
        """
        try:
            chosen = make()
            self.changes = self._look(chosen)
            if "confirm" not in self.request.form:
                return False
            if self.text("fingerprint") != self.fingerprint:
                self.say(CHANGED, "warning")
                return False
            self._carry_out(chosen)
        except NotPossible as problem:
            self.changes = None
            self.refuse(problem)
            return False
        except Exception as error:
            message = _(
                "This cannot be done: ${error}. Nothing was changed. The error is in the "
                "site's log."
            )
            self.fail("The owner's action failed", error, message)
            self.changes = None
            return False
        return True

    def refuse(self, problem: NotPossible) -> None:
        """Tell why an action is not possible."""
        self.say(problem.message, "error")

    def _carry_out(self, chosen: Action) -> None:
        action.carry_out(chosen)

    def _look(self, chosen: Action) -> tuple[words.Changes, ...]:
        previewed = action.preview(chosen)
        now = timestamps.now()
        return tuple(words.of(self.context, plan, self._ends(plan, now)) for plan in previewed)

    def _ends(self, plan: Plan, now: datetime) -> dict[Any, datetime | None]:
        """The present ends of access, without the action."""
        if buyers.get(self.context, plan.buyer_id) is None:
            return {}
        before = preview.plan(self.context, plan.buyer_id, now)
        return {product: before.paid_until.get(product) for product in before.live}
