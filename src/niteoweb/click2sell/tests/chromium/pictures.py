"""Pictures of the pages, for the documentation."""

from io import BytesIO
from niteoweb.click2sell.tests.cases.recording import HOST
from niteoweb.click2sell.tests.cases.recording import RECORD
from PIL import Image
from playwright.sync_api import Page
from tools import ROOT

import os


FOLDER = ROOT / "docs" / "screenshots"
#: What of a page is in its picture: all but Plone's own frame.
REGION = "#main-container"
#: Pixels. The rest of a longer page is left out.
TALLEST = 1300
#: Bytes. Everybody who fetches the project gets all of them.
LARGEST = 150_000
COLOURS = 128
#: Nothing has the focus, what can be folded is folded, and the site has an address that is the
#: same each time.
TIDY = """([here, there]) => {
    document.activeElement.blur();
    document.querySelectorAll("#content details").forEach(part => { part.open = false; });
    window.scrollTo(0, 0);
    const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    while (texts.nextNode()) {
        texts.currentNode.data = texts.currentNode.data.replaceAll(here, there);
    }
}"""
#: The pages that the documentation shows, and those that it shows as on a phone, too.
PICTURES = (
    "decide",
    "member",
    "notification",
    "notifications",
    "reconcile-dry-run",
    "replay",
    "report",
    "settings",
    "settings-errors",
    "teaser",
)
ON_A_PHONE = ("notifications",)


def names(page: str, width: str) -> list[str]:
    """The pictures of a page, as names of files."""
    if page in PICTURES and width == "desk":
        return [f"{page}.png"]
    return [f"{page}-phone.png"] if page in ON_A_PHONE and width == "phone" else []


def take(page: Page, name: str, width: str) -> None:
    """Make a picture, when pictures are asked for."""
    for file in names(name, width) if os.environ.get(RECORD) == "1" else ():
        FOLDER.mkdir(exist_ok=True)
        page.evaluate(TIDY, [page.url.partition("/@@")[0], f"https://{HOST}"])
        box = page.locator(REGION).bounding_box()
        taken = page.screenshot(
            clip={**box, "height": min(box["height"], TALLEST)}, full_page=True
        )
        (FOLDER / file).write_bytes(_small(taken))


def _small(picture: bytes) -> bytes:
    """The picture with as few colours as a page of text needs."""
    out = BytesIO()
    found = Image.open(BytesIO(picture)).convert("RGB")
    found.quantize(COLOURS, dither=Image.Dither.NONE).save(out, "PNG", optimize=True)
    return out.getvalue()
