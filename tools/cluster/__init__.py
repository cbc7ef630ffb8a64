"""A site on PostgreSQL, with two Zope processes behind a balancer; ``make cluster`` runs it."""
