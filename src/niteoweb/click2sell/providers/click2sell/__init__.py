"""Click2Sell: notifications about sales, refunds and subscriptions, signed with MD5."""
