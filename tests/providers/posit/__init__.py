"""Tests of the client of the Workbench API, part by part."""
