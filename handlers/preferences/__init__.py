"""What people want to hear, and their defaults."""
