"""Calendars: where appointments stand."""
