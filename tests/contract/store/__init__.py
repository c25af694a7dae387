"""The contract of the store, written against the protocol; every engine passes all of it."""
