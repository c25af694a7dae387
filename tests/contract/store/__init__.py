"""The store's contract, written against the Protocol; every engine passes all of it."""
