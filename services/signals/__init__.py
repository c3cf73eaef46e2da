"""Signals: the rules and silences by which alerts are decided, as commands."""
