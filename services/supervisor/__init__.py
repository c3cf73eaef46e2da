"""Recount on one machine: the NATS server, actors and readers as children of one supervisor.

`platform` starts and stops them in order, `process` is what runs inside each of ours, `nats_server` cares for the
embedded server. A composition root: it may import any service.
"""
