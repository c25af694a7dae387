"""What is beside the contract of the store."""
