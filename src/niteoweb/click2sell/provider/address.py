"""Mail addresses: what is taken for one.

Pure: imports nothing of Zope or Plone, does no I/O and reads no clock.
"""

import re


_LABEL = r"[^\s@<>(),;:\\\"\[\].]+"
_EMAIL = re.compile(rf"[^\s@<>(),;:\\\"\[\]]{{1,64}}@{_LABEL}(?:\.{_LABEL})+")

#: Characters in an address, by the rules of mail.
LONGEST = 254


def is_address(text: str) -> bool:
    """Whether a text, without spaces around it, can be a buyer's mail address."""
    return len(text) <= LONGEST and bool(_EMAIL.fullmatch(text)) and text.isprintable()
