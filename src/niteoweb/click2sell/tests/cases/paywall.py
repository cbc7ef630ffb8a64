"""A site with pages behind the paywall, over HTTP."""

from niteoweb.click2sell.tests.cases.pages import enable_behaviors
from niteoweb.click2sell.tests.cases.services import ServiceTestCase
from niteoweb.click2sell.tests.cases.site import EMAIL
from niteoweb.click2sell.tests.cases.site import PASSWORD
from plone import api
from plone.app.contenttypes.behaviors.leadimage import ILeadImageBehavior
from plone.app.textfield import RichTextValue
from plone.dexterity.schema import SCHEMA_CACHE
from plone.namedfile.file import NamedBlobFile
from plone.namedfile.file import NamedBlobImage
from typing import Any

import base64
import requests
import transaction


BEHAVIOR = "niteoweb.click2sell.paywall"
#: It stands in the body of each closed page, and nowhere else.
SECRET = "Xyzzyplugh"
JOHN = (EMAIL, PASSWORD)
#: A picture of one pixel.
PIXEL = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5E"
    "rkJggg=="
)


class PaywallTestCase(ServiceTestCase):
    """Pages of which members of the group "premium" read the body.

    ``art`` is a page, ``epaper`` a file, ``photo`` a picture, ``issue`` a folder with a page,
    ``col`` a collection of all of it. John has an account, and has bought nothing.
    """

    behaviors = (BEHAVIOR,)

    def setUp(self):
        super().setUp()
        self.settings(mapping=["1|premium|30|title=Archive|order=https://shop.example/1"])
        self.account()
        self.site = self.portal.absolute_url()
        with self.owner():
            enable_behaviors(self.portal, "Document", "plone.leadimage")
            for name in ("Document", "File", "Image", "Folder", "Collection"):
                enable_behaviors(self.portal, name, *self.behaviors)
                self.addCleanup(SCHEMA_CACHE.invalidate, name)
            self._create()

    def _create(self) -> None:
        self.make("Document", "art", text=self.body(), **self.closed())
        ILeadImageBehavior(self.portal.art).image = NamedBlobImage(PIXEL, filename="lead.png")
        file = NamedBlobFile(SECRET.encode() * 50, "text/plain", filename="epaper.txt")
        self.make("File", "epaper", file=file, **self.closed())
        image = NamedBlobImage(PIXEL, filename="photo.png")
        self.make("Image", "photo", image=image, **self.closed())
        issue = self.make("Folder", "issue", **self.closed())
        self.make("Document", "inside", issue, text=self.body())
        self.make("Document", "free", text=RichTextValue("Free for all", "text/html"))
        query = [
            {
                "i": "portal_type",
                "o": "plone.app.querystring.operation.selection.any",
                "v": ["Document", "File", "Image"],
            }
        ]
        self.make("Collection", "col", query=query)

    def closed(self) -> dict[str, Any]:
        """The fields of a closed page."""
        return {"access_groups": ["premium"]}

    def body(self) -> RichTextValue:
        return RichTextValue(f"<p>{SECRET}</p>", "text/html", "text/x-html-safe")

    def make(self, type_name: str, id_: str, container: Any = None, **fields: Any) -> Any:
        """A published page whose description may be read by all."""
        page = api.content.create(
            container if container is not None else self.portal,
            type_name,
            id_,
            title=f"Title of {id_}",
            description=f"About {id_}",
            **fields,
        )
        if api.content.get_state(page, default="published") != "published":
            api.content.transition(page, "publish")
        return page

    def call(
        self, path: str, who: Any = JOHN, method: str = "GET", **options: Any
    ) -> requests.Response:
        transaction.commit()
        answer = requests.request(
            method,
            f"{self.site}/{path}",
            auth=who,
            timeout=60,
            allow_redirects=options.pop("allow_redirects", False),
            **options,
        )
        transaction.begin()
        return answer

    def json(self, path: str, who: Any = JOHN, method: str = "GET", **options: Any) -> Any:
        headers = {"Accept": "application/json"}
        return self.call(path, who, method, headers=headers, **options)
