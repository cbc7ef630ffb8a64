"""The events that receivers can be told of. Their names are contracts: receivers know them."""

#: A member has access to a product, or has none any more.
GRANTED, ENDED = "access.granted", "access.ended"
#: An account was made for a buyer.
CREATED = "member.created"
#: A purchase waits for a decision of the owner.
ATTENTION = "purchase.needs_attention"
#: A payment provider has been silent for unusually long.
SILENT = "provider.silent"
#: An owner has asked for a test; each receiver gets it that is tested.
TEST = "test"

#: The events to choose from.
CHOICES = (GRANTED, ENDED, CREATED, ATTENTION, SILENT)
