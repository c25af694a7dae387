"""The catalogue of texts for people that are long or shared, unescaped; short ones stand in place."""
