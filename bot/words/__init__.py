"""The catalogue of texts for people: plain sentences in one voice, unescaped; ``bot.blocks`` escapes them."""
