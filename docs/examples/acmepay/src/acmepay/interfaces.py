"""What an owner can set for Acme Pay."""

from niteoweb.click2sell.interfaces import IProviderSettings


class IAcmePaySettings(IProviderSettings):
    """Settings in plone.app.registry: switched on or off, keys, mapping, tolerance.

    What Acme Pay needs beside them would be fields here.
    """
