"""Texts for people: long ones, and those used in several places, all unescaped. Others are written inline."""
