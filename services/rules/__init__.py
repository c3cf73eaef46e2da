"""What an alert means: rules, silences, inhibition and time intervals as pure functions over facts.

Any service may import this package: the same code decides live, in `recount rules try`, and when history is replayed
under other rules. It knows no clock, no log and no socket.
"""
