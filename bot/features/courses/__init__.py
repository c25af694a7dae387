"""Courses: classes and their lessons, on cards in channels."""
