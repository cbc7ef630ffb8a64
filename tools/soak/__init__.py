"""Mixed traffic for a long time, on one site; ``make soak`` runs it."""
