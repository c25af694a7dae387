"""Tests of reading Sphere Engine's data, without a server."""
