"""Tests of Slack's assistant, which uses Usher on a person's behalf."""
