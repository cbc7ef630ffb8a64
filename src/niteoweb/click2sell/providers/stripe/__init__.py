"""Stripe: signed events about Checkout, subscriptions, invoices, refunds and disputes."""
