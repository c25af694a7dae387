"""Links to people's accounts at providers, and what a connection is."""
