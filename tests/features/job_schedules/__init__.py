"""Tests of job_schedules."""
