"""The web application: front, Bolt, pages, health."""
