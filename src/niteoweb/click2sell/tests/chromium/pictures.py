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
#: Nothing has the focus, what can be folded is folded but for what the picture is of, and the
#: site has an address that is the same each time.
TIDY = """([here, there, region]) => {
    document.activeElement.blur();
    document.querySelectorAll("#content details").forEach(part => {
        part.open = part.matches(region) || part.querySelector(region) !== null;
    });
    getSelection().removeAllRanges();
    document.querySelectorAll("#content input[readonly]").forEach(field => {
        field.value = field.value.replaceAll(here, there);
    });
    window.scrollTo(0, 0);
    const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    while (texts.nextNode()) {
        texts.currentNode.data = texts.currentNode.data.replaceAll(here, there);
    }
}"""
#: The pages that the documentation shows, pictures of parts of pages, and pages on a phone.
PICTURES = (
    *("decide", "member", "member-kept-out", "members", "members-only", "my-purchases"),
    *("notification", "notifications", "overview", "reconcile-dry-run"),
    *("plenigo-checkout", "plenigo-offer", "plenigo-teaser"),
    *("replay", "report", "settings", "teaser"),
)
PARTS = {
    "overview-setup": ("overview-empty", "#setup > details"),
    "settings-errors": ("settings-errors", "#section-products"),
    "settings-products": ("settings", "#section-products"),
}
ON_A_PHONE = ("notifications", "overview")


def names(page: str, width: str) -> list[str]:
    """The pictures of a page, as names of files."""
    return [f"{name}.png" for name in _regions(page, width)]


def _regions(page: str, width: str) -> dict[str, str]:
    """The names of the pictures of a page, with the regions that are in them."""
    if width == "phone":
        return {f"{page}-phone": REGION} if page in ON_A_PHONE else {}
    parts = {name: region for name, (one, region) in PARTS.items() if one == page}
    return ({page: REGION} if page in PICTURES else {}) | parts


def take(page: Page, name: str, width: str) -> None:
    """Make a picture, when pictures are asked for."""
    wanted = _regions(name, width) if os.environ.get(RECORD) == "1" else {}
    for file, region in wanted.items():
        FOLDER.mkdir(exist_ok=True)
        here = page.url.partition("/@@")[0]
        page.evaluate(TIDY, [here, f"https://{HOST}", region])
        box = page.locator(region).bounding_box()
        # What moves is at its end: a button that still changes its colour is another picture.
        taken = page.screenshot(
            clip={**box, "height": min(box["height"], TALLEST)},
            full_page=True,
            animations="disabled",
        )
        (FOLDER / f"{file}.png").write_bytes(_small(taken))


def _small(picture: bytes) -> bytes:
    """The picture with as few colours as a page of text needs."""
    out = BytesIO()
    found = Image.open(BytesIO(picture)).convert("RGB")
    found.quantize(COLOURS, dither=Image.Dither.NONE).save(out, "PNG", optimize=True)
    return out.getvalue()
