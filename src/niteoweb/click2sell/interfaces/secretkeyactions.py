"""The questions of the settings form about secrets."""

from niteoweb.click2sell import _
from niteoweb.click2sell.interfaces.fields import switch
from zope.interface import Interface


class ISecretKeyActions(Interface):
    """Questions of the settings form beside the settings; they are no records."""

    secretkey_keep_old = switch(
        title=_("Keep accepting the old key for now"),
        description=_(
            "If you enter another secret key, the present one becomes the previous one, and no "
            "purchase is lost while you change the key at the provider. Not for a key that "
            "somebody else may know."
        ),
        default=True,
    )

    secretkey_clear = switch(
        title=_("Remove the secret key"),
        description=_(
            "And the previous one. No notification is accepted until another key is set."
        ),
    )

    previous_secretkey_clear = switch(
        title=_("Remove the previous secret key"),
        description=_("Notifications that are signed with it are not accepted any more."),
    )

    api_token_clear = switch(
        title=_("Remove the token"),
        description=_("The provider is not asked any more."),
    )

    client_secret_clear = switch(
        title=_("Remove the company's secret"),
        description=_("Access codes are not taken any more."),
    )
