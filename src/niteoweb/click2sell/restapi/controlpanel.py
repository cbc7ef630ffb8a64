"""The settings as a control panel of plone.restapi, for Volto.

Plone's own ``@registry`` service and its configuration registry show every record to Managers,
this add-on's among them; nothing here does.
"""

from AccessControl import getSecurityManager
from niteoweb.click2sell import site as plone_site
from niteoweb.click2sell.interfaces import IPaymentProvider
from niteoweb.click2sell.interfaces import ISecretKeyActions
from niteoweb.click2sell.member import privilege
from niteoweb.click2sell.provider import registry
from niteoweb.click2sell.restapi import protection
from niteoweb.click2sell.settings import apitoken
from niteoweb.click2sell.settings import ownaddress
from niteoweb.click2sell.settings import rules
from niteoweb.click2sell.settings import secretkeys
from niteoweb.click2sell.setup import configlet
from niteoweb.click2sell.storage import transactions
from niteoweb.click2sell.storage import writer
from plone.restapi.controlpanels import RegistryConfigletPanel
from plone.restapi.controlpanels.interfaces import IControlpanel
from plone.restapi.interfaces import IDeserializeFromJson
from plone.restapi.interfaces import ISerializeToJson
from plone.restapi.serializer.controlpanels import ControlpanelSerializeToJson
from plone.restapi.types.interfaces import IJsonSchemaProvider
from typing import Any
from zExceptions import BadRequest
from zExceptions import Unauthorized
from zope.component import adapter
from zope.component import getMultiAdapter
from zope.i18n import translate
from zope.interface import implementer

import json


#: Bytes; a mapping can have thousands of lines.
LARGEST_BODY = 1024 * 1024


class IClick2SellControlpanel(IControlpanel):
    """The control panel of this add-on."""


@implementer(IClick2SellControlpanel)
class Click2SellControlpanel(RegistryConfigletPanel):
    """The settings of a payment provider, for ``@controlpanels``.

    The ZCML directive ``click2sell:provider`` registers it under the name of the provider.
    """

    configlet_category_id = "Products"

    def __init__(self, context: Any, request: Any) -> None:
        self.provider = provider = registry.get(self.__name__)
        self.schema = provider.schema
        self.schema_prefix = provider.schema.__identifier__
        # Site Setup has one entry for all providers; it stands for the main one here.
        self.configlet_id = f"{provider.name}Configuration"
        super().__init__(context, request)
        self.title = provider.title

    def _get_configlet(self) -> dict[str, Any] | None:
        """The entry of Site Setup that leads to the settings of each provider."""
        entries = self.portal_cp.enumConfiglets(self.configlet_category_id)
        return next((entry for entry in entries if entry["id"] == configlet.ID), None)

    def check_permission(self) -> None:
        """``@controlpanels`` itself asks only for the permission to see Site Setup.

        :raises Unauthorized: the caller may not configure the add-on.
        """
        if not getSecurityManager().checkPermission(privilege.CONFIGURE, self.context):
            raise Unauthorized(f"Missing {privilege.CONFIGURE!r} permission")


@adapter(IClick2SellControlpanel)
@implementer(ISerializeToJson)
class SerializeSettings(ControlpanelSerializeToJson):
    """Answers a GET; of the secret keys it is said whether they are set, and no more."""

    def __call__(self) -> dict[str, Any]:
        self.controlpanel.check_permission()
        result = super().__call__()
        site, request = plone_site.get(), self.controlpanel.request
        request.response.setHeader("Cache-Control", "no-store")
        provider = self.controlpanel.provider
        secrets, questions = rules.secrets(provider), _questions(provider)
        result["data"].update(dict.fromkeys(secrets))
        result["data"].update({name: ISecretKeyActions[name].default for name in questions})
        for name in apitoken.SENT.keys() & set(secrets):
            result[f"{name}_is_set"] = apitoken.is_set(provider, name)
        previous = secretkeys.previous_notice(site, provider)
        notices = {
            "secretkey": secretkeys.notice(site, provider),
            "previous_secretkey": previous,
        }
        properties = result["schema"]["properties"]
        for name, notice in notices.items():
            last_used = notice.last_used if notice else None
            result[f"{name}_is_set"] = bool(notice) and notice.is_set
            result[f"{name}_last_used"] = last_used.isoformat() if last_used else None
            if notice:
                text = translate(notice.text, context=request)
                properties[name]["description"] += f" {text}"
        can_go = previous is not None and previous.level == "success"
        result["previous_secretkey_can_go"] = can_go
        for name in questions:
            properties[name] = getMultiAdapter(
                (ISecretKeyActions[name], self.controlpanel.context, request),
                IJsonSchemaProvider,
            ).get_schema()
        for fieldset in result["schema"]["fieldsets"]:
            fieldset["fields"] = [
                name
                for field in fieldset["fields"]
                for name in (field, *rules.QUESTIONS.get(field, ()))
            ]
        return result


@adapter(IClick2SellControlpanel)
@implementer(IDeserializeFromJson)
class DeserializeSettings:
    """Takes a PATCH: checks everything first, and saves all of it or nothing."""

    def __init__(self, controlpanel: Click2SellControlpanel) -> None:
        self.controlpanel = controlpanel
        self.request = controlpanel.request

    def __call__(self, mask_validation_errors: bool = True) -> None:
        """Save the settings in the body; the other settings stay.

        :raises Unauthorized: the caller may not configure the add-on.
        :raises BadRequest: the body is no JSON object, or a value is not possible.
        """
        self.controlpanel.check_permission()
        provider = self.controlpanel.provider
        # Not through plone.restapi, which keeps it in the request: errors are logged with that.
        body = protection.body_of(self.request, LARGEST_BODY)
        values = rules.normalize(
            {
                name: _plain(body[name])
                for name in (*provider.schema, *_questions(provider))
                if name in body
            }
        )
        own = "site_address" in provider.schema
        if own and not (values.get("site_address") or plone_site.settings().site_address):
            values["site_address"] = ownaddress.requested()
        problems = rules.validate(values, provider)
        if problems:
            raise BadRequest(
                [
                    {
                        "error": "ValidationError",
                        "field": name,
                        "message": translate(message, context=self.request),
                    }
                    for name, message in problems
                ]
            )
        protection.refuse_foreign_pages(self.request)
        try:
            writer.run(lambda _site: rules.save(values, provider))
        except transactions.Busy:
            self._ask_to_try_later()

    def _ask_to_try_later(self) -> None:
        """Answer as our own services do; plone.restapi's would answer 204."""
        response = self.request.response
        response.setStatus(503, lock=True)
        response.setHeader("Retry-After", str(transactions.RETRY_AFTER))
        response.setHeader("Content-Type", "application/json")
        answer = {"type": "Busy", "message": protection.BUSY}
        response.setBody(json.dumps(answer), lock=True)


def _questions(provider: IPaymentProvider) -> list[str]:
    """The questions beside the settings of a provider."""
    return [name for secret in rules.secrets(provider) for name in rules.QUESTIONS[secret]]


def _plain(value: Any) -> Any:
    """The value of a choice, which plone.restapi sends, and gets back, with its title."""
    return value["token"] if isinstance(value, dict) and "token" in value else value
