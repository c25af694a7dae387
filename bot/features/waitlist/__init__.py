"""The waitlist: starts that wait for capacity."""
