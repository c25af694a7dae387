"""Read what people write as they talk: tables of words, and rules that turn a sentence into a command."""
