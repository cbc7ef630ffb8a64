"""Paid memberships for Plone."""

from zope.i18nmessageid import MessageFactory


_ = MessageFactory("niteoweb.click2sell")
