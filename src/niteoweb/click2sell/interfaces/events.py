"""The events that other packages and sites can subscribe to."""

from zope.interface import Attribute
from zope.interface import Interface


#: The module of the events for imports, and in the stored names of content rules.
MODULE = "niteoweb.click2sell.interfaces"


class IMemberEvent(Interface):
    """Something happened to a member because of a notification."""

    __module__ = MODULE

    user_id = Attribute("User id of the member.")
    notification = Attribute("The niteoweb.click2sell.notification.Notification.")


class IMemberCreateEvent(IMemberEvent):
    """A new member was made for a buyer. Fired once per member, after the member exists."""

    __module__ = MODULE


class IMemberUpdateEvent(IMemberEvent):
    """A purchase was attached to a member that existed before it."""

    __module__ = MODULE


#: The name that release 0.4.5 used in its code.
IMemberCreatedEvent = IMemberCreateEvent


class IAccessEvent(Interface):
    """The access of a member changed. Fired after the change is committed."""

    __module__ = MODULE

    user_id = Attribute("User id of the member.")
    provider = Attribute("Name of the provider, for example click2sell.")
    product_id = Attribute("The provider's id of the product.")
    groups = Attribute("Ids of the groups that were granted or revoked for it, a tuple.")
    until = Attribute("When access ends or ended, a datetime in UTC; None for no end.")


class IAccessGrantedEvent(IAccessEvent):
    """A member has access to a product and had none before."""

    __module__ = MODULE


class IAccessRevokedEvent(IAccessEvent):
    """A member has no access to a product any more."""

    __module__ = MODULE


class IAccessEndsSoonEvent(IAccessEvent):
    """Access of a member to a product ends in some days and does not renew by itself.

    Fired once for each end, as many days before it as the setting ``reminder_days`` says.
    """

    __module__ = MODULE
