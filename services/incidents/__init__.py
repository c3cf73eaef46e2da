"""Incidents: the write side of an incident. `commands` is the door for other services."""
