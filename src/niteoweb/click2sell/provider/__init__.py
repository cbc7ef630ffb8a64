"""The seam that all payment providers share: strict JSON, signatures, an HTTP client, samples.

The module ``registry`` belongs to the face, too. It is imported by those who use it: it needs
Zope, which a provider's protocol must not.
"""

from niteoweb.click2sell.provider import jsonapi
from niteoweb.click2sell.provider import jsonbody
from niteoweb.click2sell.provider import sample
from niteoweb.click2sell.provider import secrecy
from niteoweb.click2sell.provider import signatures
from niteoweb.click2sell.provider import standardhook
from niteoweb.click2sell.provider.answers import NotFound
from niteoweb.click2sell.provider.answers import Refused
from niteoweb.click2sell.provider.answers import Rejected
from niteoweb.click2sell.provider.answers import Reply
from niteoweb.click2sell.provider.answers import SessionInvalid
from niteoweb.click2sell.provider.answers import Unreachable
from niteoweb.click2sell.provider.jsonapi import JsonApi
from niteoweb.click2sell.provider.jsonbody import is_address
from niteoweb.click2sell.provider.jsonbody import JsonBody
from niteoweb.click2sell.provider.jsonbody import LONGEST_ID
from niteoweb.click2sell.provider.sample import deliveries
from niteoweb.click2sell.provider.sample import SampleRequest
from niteoweb.click2sell.provider.sample import TERM
from niteoweb.click2sell.provider.undecided import for_several
from niteoweb.click2sell.provider.undecided import unreadable


__all__ = [
    *["jsonapi", "jsonbody", "registry", "sample", "secrecy", "signatures"],
    *["JsonApi", "JsonBody", "NotFound", "Refused", "Rejected", "Reply"],
    *["SampleRequest", "SessionInvalid", "Unreachable", "standardhook"],
    *["LONGEST_ID", "TERM", "deliveries", "for_several", "is_address", "unreadable"],
]
