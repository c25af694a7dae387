"""What is so, whoever asks: models, plans and rules. Pure: nothing here reads, writes or waits."""
