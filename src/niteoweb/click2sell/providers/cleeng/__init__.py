"""Cleeng: webhooks about subscriptions, with in-app purchases on Vizio TV sets."""
