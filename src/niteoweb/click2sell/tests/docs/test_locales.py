"""The message catalogues: complete, up to date, and used by the site."""

from babel.messages.catalog import Catalog
from babel.messages.pofile import read_po
from importlib.resources import files
from niteoweb.click2sell import notification
from niteoweb.click2sell.testing.layers import FUNCTIONAL
from pathlib import Path
from plone import api
from plone.app.testing import SITE_OWNER_NAME
from plone.app.testing import SITE_OWNER_PASSWORD
from plone.testing.zope import Browser
from tempfile import TemporaryDirectory

import re
import shutil
import subprocess
import sys
import transaction
import unittest


PACKAGE = Path(notification.__file__).parent
LOCALES = PACKAGE / "locales"
DOMAIN = "niteoweb.click2sell"
LANGUAGES = ("de", "es", "sl")
I18NDUDE = Path(sys.executable).parent / "i18ndude"

_PLACEHOLDER = re.compile(r"\$\{\w+\}|\$[a-z_]+")


def catalog(path: Path) -> Catalog:
    with path.open("rb") as file:
        return read_po(file, domain=DOMAIN)


def messages(path: Path) -> dict[str, str]:
    """Message id -> translation, without those that are obsolete."""
    return {message.id: message.string for message in catalog(path) if message.id}


class TestCatalogs(unittest.TestCase):
    def path(self, language: str) -> Path:
        return LOCALES / language / "LC_MESSAGES" / f"{DOMAIN}.po"

    @unittest.skipUnless(I18NDUDE.exists(), "i18ndude belongs to the tools of development")
    def test_all_texts_of_the_code_are_in_them(self):
        with TemporaryDirectory() as folder:
            pot = Path(folder) / f"{DOMAIN}.pot"
            shutil.copytree(
                PACKAGE, Path(folder) / "src", ignore=shutil.ignore_patterns("tests", "*.pyc")
            )
            done = subprocess.run(
                [
                    *(str(I18NDUDE), "rebuild-pot", "--pot", str(pot), "--create", DOMAIN),
                    str(Path(folder) / "src"),
                ],
                capture_output=True,
                check=False,
                text=True,
            )
            self.assertEqual(done.returncode, 0, done.stderr)
            found = set(messages(pot))
        self.assertGreater(len(found), 500)
        for path in (LOCALES / f"{DOMAIN}.pot", *map(self.path, LANGUAGES)):
            with self.subTest(path.name):
                self.assertEqual(set(messages(path)) ^ found, set(), "run: make i18n")

    def test_each_language_is_complete(self):
        for language in LANGUAGES:
            found = catalog(self.path(language))
            missing = [m.id for m in found if m.id and not m.string]
            fuzzy = [m.id for m in found if m.id and m.fuzzy]
            with self.subTest(language):
                self.assertEqual((missing, fuzzy), ([], []))

    def test_the_placeholders_are_those_of_the_text(self):
        defaults = {
            m.id: next(
                (
                    c.removeprefix("Default: ").strip('"')
                    for c in m.auto_comments
                    if "Default: " in c
                ),
                m.id,
            )
            for m in catalog(LOCALES / f"{DOMAIN}.pot")
            if m.id
        }
        for language in LANGUAGES:
            for id_, translation in messages(self.path(language)).items():
                with self.subTest(language, message=id_):
                    self.assertEqual(
                        set(_PLACEHOLDER.findall(translation)),
                        set(_PLACEHOLDER.findall(defaults[id_])),
                    )

    def test_the_answer_to_a_buyer_names_a_link_as_plone_does(self):
        for language in LANGUAGES:
            of_plone = files("plone.app.locales") / f"locales/{language}/LC_MESSAGES/plone.po"
            (answer,) = (
                text
                for id_, text in messages(self.path(language)).items()
                if '"Get help"' in id_
            )
            with self.subTest(language):
                self.assertIn(messages(of_plone)["footer_login_link_get_help"], answer)

    def test_there_are_no_others(self):
        found = {path.name for path in LOCALES.iterdir() if path.is_dir()}
        self.assertEqual(found, set(LANGUAGES))


class TestSite(unittest.TestCase):
    layer = FUNCTIONAL

    def test_site_setup_speaks_the_language_of_the_site(self):
        portal = self.layer["portal"]
        for language in LANGUAGES:
            translated = messages(LOCALES / language / "LC_MESSAGES" / f"{DOMAIN}.po")
            api.portal.set_registry_record("plone.available_languages", [language])
            api.portal.set_registry_record("plone.default_language", language)
            transaction.commit()
            browser = Browser(self.layer["app"])
            browser.addHeader("Authorization", f"Basic {SITE_OWNER_NAME}:{SITE_OWNER_PASSWORD}")
            browser.open(f"{portal.absolute_url()}/@@click2sell-settings")
            for text in ("Notifications", "Secret key", "Days of grace"):
                with self.subTest(language, text=text):
                    self.assertIn(translated[text], browser.contents)
