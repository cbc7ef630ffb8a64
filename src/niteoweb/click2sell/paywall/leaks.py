"""The ways on which Plone shows the body of a page inside of something else.

A listing with full contents, a feed, a search of plone.restapi: none of them asks for the page
itself, so the gate does not see them. Each has a class here that asks for the decision, and
does what Plone's own does where the visitor may read the page. They are registered for all
content, since what lies in a folder is behind its paywall, too.
"""

from niteoweb.click2sell import site as plone_site
from niteoweb.click2sell.paywall import behavior
from niteoweb.click2sell.paywall import decision
from niteoweb.click2sell.paywall import teaser
from pathlib import Path
from plone.app.caching.lookup import ContentItemLookup
from plone.app.contenttypes.behaviors.leadimage import ILeadImage
from plone.app.contenttypes.behaviors.leadimage import ILeadImageBehavior
from plone.app.contenttypes.browser import full_view
from plone.app.contenttypes.interfaces import ICollection
from plone.app.event.ical.exporter import ICalendarEventComponent
from plone.base.interfaces.syndication import IFeed
from plone.dexterity.interfaces import IDexterityContainer
from plone.dexterity.interfaces import IDexterityContent
from plone.restapi.interfaces import IExpandableElement
from plone.restapi.interfaces import IFieldSerializer
from plone.restapi.interfaces import ISerializeToJsonSummary
from plone.restapi.serializer.collection import SerializeCollectionToJson
from plone.restapi.serializer.converters import json_compatible
from plone.restapi.serializer.dxcontent import SerializeFolderToJson
from plone.restapi.serializer.dxcontent import SerializeToJson
from plone.restapi.serializer.expansion import update_dict_recursively
from plone.restapi.serializer.summary import DefaultJSONSummarySerializer
from plone.restapi.serializer.utils import get_portal_type_title
from Products.CMFPlone.browser.syndication.adapters import DexterityItem
from Products.Five.browser.pagetemplatefile import ViewPageTemplateFile
from typing import Any
from zope.component import adapter
from zope.component import getAdapters
from zope.component import getMultiAdapter
from zope.interface import Interface
from zope.publisher.interfaces.browser import IBrowserRequest


#: Expandable elements that tell nothing of a page beyond its title.
FREE_ELEMENTS = frozenset(
    {"actions", "breadcrumbs", "contextnavigation", "navigation", "navroot"}
)


class Closable:
    """A serializer of plone.restapi that tells the teaser of a closed page."""

    def __call__(self, *args: Any, **options: Any) -> dict[str, Any]:
        decided = decision.decide(self.context)
        if decided.granted:
            return super().__call__(*args, **options)
        page, request = self.context, self.request
        parent = page.aq_inner.aq_parent
        answer = {
            "@id": page.absolute_url(),
            "@type": page.portal_type,
            "type_title": get_portal_type_title(page.portal_type),
            "UID": page.UID(),
            "id": page.getId(),
            "parent": getMultiAdapter((parent, request), ISerializeToJsonSummary)(),
            "title": page.title,
            "description": page.description,
            "created": page.created(),
            "modified": page.modified(),
            "effective": page.effective_date,
            "is_folderish": False,
            "@components": self._components(),
            "paywall": {
                "access": False,
                "certain": decided.certain,
                "offers": teaser.told(page, request, decided),
            },
        }
        if ILeadImage.providedBy(page):
            field = ILeadImageBehavior["image"].bind(page)
            answer["image"] = getMultiAdapter((field, page, request), IFieldSerializer)()
        return json_compatible(answer)

    def _components(self) -> dict[str, Any]:
        expand = self.request.form.get("expand", [])
        expanded = expand.split(",") if isinstance(expand, str) else expand
        answer: dict[str, Any] = {}
        for name, element in getAdapters((self.context, self.request), IExpandableElement):
            if name in FREE_ELEMENTS:
                update_dict_recursively(answer, element(expand=name in expanded))
        return answer


@adapter(IDexterityContent, IBrowserRequest)
class ContentJson(Closable, SerializeToJson):
    """A content object as JSON."""


@adapter(IDexterityContainer, IBrowserRequest)
class FolderJson(Closable, SerializeFolderToJson):
    """A folder as JSON."""


@adapter(ICollection, IBrowserRequest)
class CollectionJson(Closable, SerializeCollectionToJson):
    """A collection as JSON."""


@adapter(Interface, IBrowserRequest)
class Summary(DefaultJSONSummarySerializer):
    """A content object in a list; a closed one shows only the catalog's fields.

    Before release 10, plone.restapi gives every field of the object that somebody asks for.
    """

    def metadata_fields(self) -> set[str]:
        """The names of the fields in a list."""
        wanted = set(super().metadata_fields())
        columns = plone_site.tool("portal_catalog").schema()
        others = wanted - {*columns, *self.default_metadata_fields}
        if not others - {"getPath", "getURL"}:
            return wanted
        wake = getattr(self.context, "_unrestrictedGetObject", lambda: self.context)
        return wanted if decision.decide(wake()).granted else wanted - others


class FeedItem(DexterityItem):
    """A page in a feed, a closed one with its description only."""

    def __init__(self, context: Any, feed: IFeed) -> None:
        super().__init__(context, feed)
        self.is_closed = not decision.decide(context).granted
        if self.is_closed:
            self.file = None

    @property
    def body(self) -> str:
        """The body of the page."""
        return self.description if self.is_closed else super().body

    def render_content_core(self) -> str:
        """The body of the page as it is shown."""
        return "" if self.is_closed else super().render_content_core()


class CalendarEvent(ICalendarEventComponent):
    """An event in a calendar file, a closed one without its link and the people of it."""

    @property
    def _is_closed(self) -> bool:
        return not decision.decide(self.context).granted

    @property
    def contact(self) -> dict[str, Any] | None:
        """Name, telephone, address and link."""
        return None if self._is_closed else super().contact

    @property
    def attendee(self) -> dict[str, Any] | None:
        """The attendees."""
        return None if self._is_closed else super().attendee


class FullViewItem(full_view.FullViewItem):
    """A page in a listing with full contents, a closed one with a link to it."""

    index = ViewPageTemplateFile(
        str(Path(full_view.__file__).with_name("templates") / "full_view_item.pt")
    )

    def __call__(self) -> str:
        return self.index()

    @property
    def item_macros(self) -> Any:
        """The macros of the page's own view, none of a closed one."""
        return super().item_macros if decision.decide(self.context).granted else {}


class CachingLookup(ContentItemLookup):
    """The rule by which Plone caches an answer: none for a page behind the paywall.

    A page that a member reads must not come out of a cache for the next visitor.
    """

    def __call__(self) -> str | None:
        page = self.published
        if not IDexterityContent.providedBy(page):
            page = getattr(page, "__parent__", None)
        if IDexterityContent.providedBy(page) and behavior.guarded(page) is not None:
            return None
        return super().__call__()
