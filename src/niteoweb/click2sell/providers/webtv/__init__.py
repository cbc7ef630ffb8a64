"""WS.WebTV: the subscriptions of its store, and what this site sells there."""
