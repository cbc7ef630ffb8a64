"""plenigo: callbacks about subscriptions, completed by questions to its API."""
