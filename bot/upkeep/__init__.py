"""What operators run beside the bot: checks, imports, what a restored backup needs."""
