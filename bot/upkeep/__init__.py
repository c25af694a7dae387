"""What operators run besides the bot: checks, imports, recovery from a restored backup."""
