"""Our site's reaction to the purchase of a membership."""

from niteoweb.click2sell.interfaces import IAccessGrantedEvent
from niteoweb.click2sell.interfaces import IAccessRevokedEvent
from niteoweb.click2sell.interfaces import IMemberCreateEvent
from niteoweb.click2sell.interfaces import IMemberUpdateEvent
from niteoweb.click2sell.notification import Kind
from plone import api
from zope.component import adapter


@adapter(IMemberCreateEvent)
def remember_country(event: IMemberCreateEvent) -> None:
    """Note in the profile where a new member comes from."""
    member = api.user.get(userid=event.user_id)
    member.setMemberProperties({"location": event.notification.country})


@adapter(IMemberUpdateEvent)
def thank_subscriber(event: IMemberUpdateEvent) -> None:
    """Put who renews a subscription into a group of our own."""
    if event.notification.kind is Kind.RENEWAL:
        member = api.user.get(userid=event.user_id)
        api.group.add_user(groupname="loyal-members", user=member)


@adapter(IAccessRevokedEvent)
def remember_former_member(event: IAccessRevokedEvent) -> None:
    """Put whose access has ended into the group that we offer a discount to."""
    if event.product_id == "1":
        member = api.user.get(userid=event.user_id)
        api.group.add_user(groupname="former-members", user=member)


@adapter(IAccessGrantedEvent)
def welcome_back(event: IAccessGrantedEvent) -> None:
    """Take who has access again out of that group."""
    if event.product_id == "1":
        member = api.user.get(userid=event.user_id)
        api.group.remove_user(groupname="former-members", user=member)
