"""Tests of the web application: front, Bolt, pages and health checks."""
