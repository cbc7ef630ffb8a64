"""The stored data of an address, and its erasure, as a service of plone.restapi.

``GET /@click2sell-privacy?address=`` needs the permission to view purchases, ``POST`` that to
operate them.
"""

from dataclasses import asdict
from niteoweb.click2sell import timestamps
from niteoweb.click2sell.member import privilege
from niteoweb.click2sell.privacy import erasure
from niteoweb.click2sell.privacy import export
from niteoweb.click2sell.privacy import preview
from niteoweb.click2sell.provisioning import pipeline
from niteoweb.click2sell.restapi.protection import Operation
from plone import api
from plone.restapi.services import Service
from typing import Any
from zExceptions import BadRequest
from zExceptions import Unauthorized


class PrivacyGet(Service):
    """Answers a GET with all that is stored about the address."""

    def reply(self) -> dict[str, Any]:
        address = self.request.form.get("address")
        if not isinstance(address, str) or not address.strip():
            raise BadRequest('"address" is missing.')
        return export.export(self.context, address, timestamps.now())


class PrivacyPost(Operation):
    """Answers a POST: erases the buyer of an address, or takes an erased one in again.

    Options in the body:

    ``address``, ``reason``: both are needed, the reason not for a dry run.
    ``dry_run``: true for a preview, which changes nothing.
    ``fingerprint``: of the dry run; erase only if nothing has happened since.
    ``delete_member``: true to delete the buyer's account too.
    ``take_in``: true to take an erased buyer in again, who has bought since.

    An action that is not possible is answered 400, a fingerprint that does not fit 409.
    """

    def operate(self) -> dict[str, Any]:
        options = self.options(
            address=str,
            reason=str,
            dry_run=bool,
            fingerprint=str,
            delete_member=bool,
            take_in=bool,
        )
        address, reason = options.get("address", ""), options.get("reason", "")
        if not address.strip():
            raise BadRequest('"address" is missing.')
        if options.get("dry_run"):
            return self._preview(address)
        try:
            if options.get("take_in"):
                return dict(erasure.take_in(address, reason, self.by))
            deleting = options.get("delete_member", False)
            if deleting and not api.user.has_permission(
                privilege.MANAGE_MEMBERS, obj=self.context
            ):
                raise Unauthorized(f"Missing {privilege.MANAGE_MEMBERS!r} permission")
            fingerprint = options.get("fingerprint", "")
            return dict(erasure.erase(address, reason, self.by, deleting, fingerprint))
        except erasure.Changed as problem:
            return self.problem(409, "Changed", self.said(problem.message))
        except pipeline.Failed:
            return self.problem(500, "Failed", "A notification failed, and is kept as failed.")

    def _preview(self, address: str) -> dict[str, Any]:
        planned = preview.of(export.find(self.context, address))
        answer = {"dry_run": True, **asdict(planned)}
        answer["waiting"] = answer.pop("held")
        return answer
