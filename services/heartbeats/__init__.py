"""Heartbeats: senders that must say something from time to time, and whose silence is an alert."""
