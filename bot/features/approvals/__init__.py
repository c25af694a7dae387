"""Approvals: links that administrators decide about."""
