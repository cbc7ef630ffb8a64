"""What a mail server of seven bits receives: names, subjects and texts as they were written."""

from email import message_from_bytes
from email import policy
from email.header import decode_header
from email.header import make_header
from email.message import Message
from email.utils import getaddresses
from hypothesis import example
from hypothesis import given
from hypothesis import settings
from hypothesis import strategies as st
from niteoweb.click2sell import site as plone_site
from niteoweb.click2sell.mail import messages
from niteoweb.click2sell.tests.cases.smtpserver import ScriptedServer
from Products.MailHost.MailHost import MailHost
from unittest import mock

import re
import unittest


#: Letters of several scripts, and the signs that have a meaning in headers.
SCRIPTS = st.sampled_from(
    [
        "abcXYZ 0123",
        'a, (b) [c] <d> "e" \\ ; : @ . =?utf-8?q?x?= =_?',
        "äöüßÄ éñ",
        "čžš Žiga",
        "Ελλάδα ",
        "Привет мир",
        "שלום עולם",
        "مرحبا ",
        "日本語　の",
        "한국어 ",
        "🎉👩‍💻 a",
        "a\u00a0b\u200bc",
    ]
)
TEXTS = st.lists(
    SCRIPTS.flatmap(lambda letters: st.text(letters, max_size=60)), max_size=8
).map(lambda parts: "".join(parts).strip())
LONG = "Müller, Läden & Söhne (Köln) [alt], “Zur Post” " * 6
TO = "buyer-with-a-long-name" * 3 + "@" + "a-long-name-of-a-department." * 5 + "example.org"
MESSAGE_ID = f"<{'0123456789abcdef' * 2}@{'a-long-name-of-a-department.' * 5}example.org>"


class TestSevenBits(unittest.TestCase):
    """The server offers neither 8BITMIME nor SMTPUTF8."""

    def setUp(self):
        self.server = self.enterContext(ScriptedServer())
        mailhost = MailHost("MailHost", smtp_host="127.0.0.1", smtp_port=self.server.port)
        self.enterContext(mock.patch.object(plone_site, "tool", lambda name: mailhost))

    def sent(self, name: str, subject: str, text: str) -> Message:
        """Send a mail; it, as a reader of headers as they stand sees it."""
        sender = (name, "shop@example.com")
        with mock.patch.object(plone_site, "sender", lambda: sender):
            messages.send(messages.message(TO, MESSAGE_ID, subject, text))
        return message_from_bytes(self.raw())

    def raw(self) -> bytes:
        """The last mail, without the dots of SMTP."""
        return re.sub(rb"(?m)^\.", b"", self.server.bodies[-1].removesuffix(b".\r\n"))

    def check(self, name: str, subject: str, text: str) -> None:
        mail = self.sent(name, subject, text)
        raw = self.raw()
        self.assertTrue(raw.isascii())
        for line in raw.split(b"\r\n"):
            self.assertLess(len(line), 998)
            self.assertNotRegex(line, b"[\r\n]")
        headers = raw.partition(b"\r\n\r\n")[0].decode("ascii")
        self.assertNotRegex(headers, r":\s*\n[ \t]", "an empty first line")
        for word in re.findall(r"=\?utf-8\?.*?\?=", headers):
            self.assertLessEqual(len(word), 75)
        # As other programs read it: encoded words in a row belong together (RFC 2047, 6.2).
        self.assertEqual(decoded(mail["Subject"]), subject)
        ((phrase, address),) = getaddresses([mail["From"]])
        self.assertEqual((decoded(phrase), address), (name, "shop@example.com"))
        self.assertEqual((mail["To"], mail["Message-ID"]), (TO, MESSAGE_ID))
        # As Python reads it today.
        parsed = message_from_bytes(raw, policy=policy.default)
        self.assertEqual(len(parsed["From"].addresses), 1)
        self.assertEqual(len(parsed["To"].addresses), 1)
        self.assertEqual(parsed["Content-Transfer-Encoding"], "quoted-printable")
        self.assertEqual(lines(parsed.get_content()), lines(text))

    @settings(deadline=None)
    @given(TEXTS, TEXTS, TEXTS)
    @example(LONG.strip(), LONG.strip(), LONG)
    @example("Smith, John (shop) [x] \"y\" 'z' \\" * 9, "w" * 2000, "w" * 2000)
    @example("=?utf-8?q?a?=", "=?utf-8?q?a?= =?utf-8?q?b?=", ".\n..\nFrom me\n\t \n.")
    @example(
        "a  b", "two  spaces   in a row, in a line that is too long for one" * 3, "a  \nb\t"
    )
    @example('"', "", "")
    def test_all_is_read_as_it_was_written(self, name, subject, text):
        self.check(name, subject, text)

    def test_nothing_in_a_name_or_a_subject_makes_a_header(self):
        evil = "Shop\r\nBcc: eve@example.org\r\n\r\nText\x0b\x1c\x85\u2028\u2029\x00end"
        mail = self.sent(evil, evil, "text")
        line = "Shop Bcc: eve@example.org Text end"
        self.assertIsNone(mail["Bcc"])
        self.assertEqual(decoded(mail["Subject"]), line)
        self.assertEqual(getaddresses([mail["From"]]), [(line, "shop@example.com")])

    def test_half_a_surrogate_stops_no_mail(self):
        self.check("a?b", "a?b", "a?b")
        mail = self.sent("a\ud800b", "a\ud800b", "a\ud800b")
        self.assertEqual((mail["Subject"], mail.get_payload().strip()), ("a?b", "a?b"))


def decoded(header: str) -> str:
    """A header as it reads."""
    return str(make_header(decode_header(re.sub(r"\r?\n(?=[ \t])", "", header))))


def lines(text: str) -> list[str]:
    """The lines of a text; a line break at its end makes no difference."""
    return re.split("\r\n|\r|\n", text.rstrip("\r\n"))
