"""Acme Pay as a payment provider of niteoweb.click2sell."""
