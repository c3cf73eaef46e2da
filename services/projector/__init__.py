"""Projector: keeps the warehouse of this process where the log is.

Hears  every event of the log, in order.
Says   nothing.
Keeps  the warehouse (`projections.warehouse`), which can be dropped and comes back the same.
"""
