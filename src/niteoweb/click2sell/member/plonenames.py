"""Plone's own rules for the names of a new account: all that differs between Plone 6.1 and 6.2.

They are functions of plone.app.users in 6.2, and methods of its registration form in 6.1.
"""

from typing import Any


try:
    from plone.app.users.utils import generate_login_name
    from plone.app.users.utils import generate_user_id
except ImportError:
    from plone.app.users.browser.register import BaseRegistrationForm

    def generate_user_id(site: Any, names: dict[str, str]) -> str:
        """The user id of a new account, by the settings of a Plone 6.1 site."""
        return BaseRegistrationForm(site, None).generate_user_id(names)

    def generate_login_name(site: Any, names: dict[str, str]) -> str:
        """The login name of a new account, by the settings of a Plone 6.1 site."""
        return BaseRegistrationForm(site, None).generate_login_name(names)


__all__ = ["generate_login_name", "generate_user_id"]
