"""Tests of Usher. The folders mirror the packages that they test."""
