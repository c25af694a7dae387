"""The domain: models, plans and rules. Pure, but for the file of ``transcript``."""
