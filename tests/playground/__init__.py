"""Tests of the local servers, by their documents."""
