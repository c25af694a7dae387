"""The catalogue of texts for people: plain sentences in one voice, unescaped; ``blocks`` escapes them."""
