"""WS.WebTV: the subscriptions of its store, and the sales of this site there."""
