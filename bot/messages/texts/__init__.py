"""Long texts for people, and those used in several places, all unescaped. Short ones are written in place."""
