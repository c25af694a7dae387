"""Schedules of jobs at providers."""
