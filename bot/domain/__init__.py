"""The domain: models, plans and rules. Pure: nothing here reads, writes or waits."""
