"""Settings of Acme Pay."""

from niteoweb.click2sell.interfaces import IProviderSettings


class IAcmePaySettings(IProviderSettings):
    """Settings in plone.app.registry: switched on or off, keys, mapping, tolerance.

    Further settings of Acme Pay would be fields here.
    """
