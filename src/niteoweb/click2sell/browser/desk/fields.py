"""Fields of forms."""

from collections.abc import Mapping
from collections.abc import Sequence
from dataclasses import dataclass
from dataclasses import field
from niteoweb.click2sell.browser.words.formatting import Part
from Products.Five.browser.pagetemplatefile import ViewPageTemplateFile
from zope.i18nmessageid import Message


#: Values, each with its text.
Choices = Sequence[tuple[str, Message | str]]

#: The attributes of inputs for texts that no browser is to change.
VERBATIM = {"autocapitalize": "off", "autocomplete": "off", "spellcheck": "false"}


@dataclass(frozen=True)
class Field(Part):
    """A field of a form.

    :ivar type: of the input; "select" for one of `choices`.
    :ivar error: the mistake in the value.
    :ivar more: further attributes of the input.
    :ivar form: distinguishes the forms of a page.
    """

    name: str
    label: Message
    value: str = ""
    type: str = "text"
    choices: Choices = ()
    help: Message | None = None
    error: Message | None = None
    more: Mapping[str, str] = field(default_factory=dict)
    form: str = "field"
    template = ViewPageTemplateFile("../templates/field.pt")

    @property
    def id(self) -> str:
        """The id of the input on its page."""
        return f"{self.form}-{self.name}"

    @property
    def attributes(self) -> dict[str, str]:
        """The attributes beside name, type and value."""
        parts = [part for part in ("help", "error") if getattr(self, part)]
        described = " ".join(f"{self.id}-{part}" for part in parts)
        return {
            **({"aria-invalid": "true"} if self.error else {}),
            **({"aria-describedby": described} if described else {}),
            **self.more,
        }

    @property
    def css(self) -> str:
        """Bootstrap's class for a mistake."""
        return "is-invalid" if "aria-invalid" in self.attributes else ""
