"""Tests of the local Sphere Engine against the documentation of the real one."""
