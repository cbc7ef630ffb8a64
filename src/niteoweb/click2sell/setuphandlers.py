"""Installation and uninstallation, beyond the files of the profiles."""

from AccessControl.Permission import pname
from Acquisition import aq_base
from Acquisition import aq_parent
from niteoweb.click2sell import hooks
from niteoweb.click2sell import site as plone_site
from niteoweb.click2sell.contentrules import trigger
from niteoweb.click2sell.member import index
from niteoweb.click2sell.paywall import gate
from niteoweb.click2sell.provider import registry
from niteoweb.click2sell.settings import membertoken
from niteoweb.click2sell.settings import ownaddress
from niteoweb.click2sell.setup import configlet
from niteoweb.click2sell.storage import trees
from plone.base.interfaces import INonInstallable
from typing import Any
from zope.component import getUtilitiesFor
from zope.interface import implementer
from zope.security.interfaces import IPermission


@implementer(INonInstallable)
class HiddenProfiles:
    """Keeps all profiles but "default" out of the Add-ons panel."""

    def getNonInstallableProfiles(self) -> list[str]:
        """Profiles that nobody installs by hand."""
        return ["niteoweb.click2sell:uninstall"]


def post_install(setup_tool: Any) -> None:
    """Create settings, the entry of Site Setup, the add-on's trees and the site's own id.

    All members are indexed. A site that has no public address yet gets that of the request.
    This runs after the upgrade from release 0.4.5, too.
    """
    for provider in registry.registered():
        registry.install(provider)
    configlet.install()
    site, settings = aq_parent(setup_tool), plone_site.settings()
    # A script has no request, or one with a made-up host: there the owner fills it in.
    if not settings.site_address and "PUBLISHED" in site.REQUEST.other:
        settings.site_address = ownaddress.requested()
    plone_site.install()
    trees.install(site)
    membertoken.make_key(site)
    index.rebuild(site)
    gate.ignore_in_error_log(site, True)


def post_uninstall(setup_tool: Any) -> None:
    """Remove settings, the entry of Site Setup, the site's id, rules, permissions' settings,
    and the receivers of hooks with their secrets.

    GenericSetup's rolemap can set a permission, but not go back to inheriting it.
    """
    for provider in registry.registered():
        registry.uninstall(provider)
    configlet.uninstall()
    site = aq_parent(setup_tool)
    plone_site.uninstall()
    for receiver in hooks.receivers.every(site):
        hooks.outbox.remove(site, receiver)
    trigger.remove_rules()
    gate.ignore_in_error_log(site, False)
    for name, permission in getUtilitiesFor(IPermission):
        attribute = pname(permission.title)
        if name.startswith("niteoweb.click2sell.") and hasattr(aq_base(site), attribute):
            delattr(site, attribute)
