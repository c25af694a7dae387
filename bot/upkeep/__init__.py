"""What operators run beside the bot: checks, imports, recovery from a restored backup."""
