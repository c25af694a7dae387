"""The base that every package may use and that depends on none.

Settings, errors, clock, logs, secrets, HTTP.
"""
