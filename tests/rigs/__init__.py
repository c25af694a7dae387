"""Helpers that several tests share. They use real fakes instead of patches."""
