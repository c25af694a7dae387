"""Tests of the conformance kit for external providers: Coder passes, and each faulty provider fails."""
