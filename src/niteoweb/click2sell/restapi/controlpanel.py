"""The settings as a control panel of plone.restapi, for Volto.

Plone's own ``@registry`` service and its configuration registry show every record to Managers,
this add-on's among them; nothing here does.
"""

from AccessControl import getSecurityManager
from niteoweb.click2sell import settings
from niteoweb.click2sell.interfaces import IClick2SellLayer
from niteoweb.click2sell.interfaces import IClick2SellSettings
from niteoweb.click2sell.interfaces import IRemoveSecretKey
from plone.restapi.controlpanels import RegistryConfigletPanel
from plone.restapi.controlpanels.interfaces import IControlpanel
from plone.restapi.deserializer import json_body
from plone.restapi.exceptions import DeserializationError
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
from zope.interface import Interface


PERMISSION = "Click2Sell: Configure"


class IClick2SellControlpanel(IControlpanel):
    """The control panel of this add-on."""


@adapter(Interface, IClick2SellLayer)
@implementer(IClick2SellControlpanel)
class Click2SellControlpanel(RegistryConfigletPanel):
    """Where ``@controlpanels`` finds the settings."""

    schema = IClick2SellSettings
    schema_prefix = IClick2SellSettings.__identifier__
    configlet_id = "click2sellConfiguration"
    configlet_category_id = "Products"

    def check_permission(self) -> None:
        """``@controlpanels`` itself asks only for the permission to see Site Setup.

        :raises Unauthorized: the caller may not configure the add-on.
        """
        if not getSecurityManager().checkPermission(PERMISSION, self.context):
            raise Unauthorized(f"Missing {PERMISSION!r} permission")


@adapter(IClick2SellControlpanel)
@implementer(ISerializeToJson)
class SerializeSettings(ControlpanelSerializeToJson):
    """Answers a GET; whether a secret key is set is said, the key is not."""

    def __call__(self) -> dict[str, Any]:
        self.controlpanel.check_permission()
        result = super().__call__()
        result["data"].update(secretkey=None, secretkey_clear=False)
        result["secretkey_is_set"] = settings.secret_key_is_set()
        properties = result["schema"]["properties"]
        request = self.controlpanel.request
        notice = translate(settings.secret_key_notice()[1], context=request)
        properties["secretkey"]["description"] += f" {notice}"
        properties["secretkey_clear"] = getMultiAdapter(
            (IRemoveSecretKey["secretkey_clear"], self.controlpanel.context, request),
            IJsonSchemaProvider,
        ).get_schema()
        for fieldset in result["schema"]["fieldsets"]:
            if "secretkey" in fieldset["fields"]:
                place = fieldset["fields"].index("secretkey") + 1
                fieldset["fields"].insert(place, "secretkey_clear")
        return result


@adapter(IClick2SellControlpanel)
@implementer(IDeserializeFromJson)
class DeserializeSettings:
    """Takes a PATCH: checks everything first, and saves all of it or nothing."""

    def __init__(self, controlpanel: Click2SellControlpanel) -> None:
        self.controlpanel = controlpanel
        self.request = controlpanel.request

    def __call__(self, mask_validation_errors: bool = True) -> None:
        """Save what the body names; what it does not name stays.

        :raises Unauthorized: the caller may not configure the add-on.
        :raises BadRequest: the body is no JSON object, or a value is not possible.
        """
        self.controlpanel.check_permission()
        try:
            body = json_body(self.request)
        except DeserializationError as error:
            raise BadRequest(error.msg) from None
        finally:
            # What goes wrong from here on is logged with it, for Managers to read.
            self.request.other.pop("BODY", None)
        values = settings.normalize(
            {
                name: _plain(body[name])
                for name in (*IClick2SellSettings, *IRemoveSecretKey)
                if name in body
            }
        )
        if not (values.get("site_address") or settings.stored_address()):
            values["site_address"] = settings.own_address()
        problems = settings.validate(values)
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
        settings.save(values)


def _plain(value: Any) -> Any:
    """The value of a choice, which plone.restapi sends, and gets back, with its title."""
    return value["token"] if isinstance(value, dict) and "token" in value else value
