"""Catalogue of texts for people, unescaped, that are long or shared. Short ones are written in place."""
