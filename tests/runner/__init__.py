"""How the suite is run: collected once, by forked workers, under a keeper that leaves nothing behind."""
