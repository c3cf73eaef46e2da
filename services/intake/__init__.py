"""Intake: alerts in.

Hears  HTTP on its own port (`services.intake.http`), ``intake.>`` on NATS, and ``cmd.intake.*``.
Says   receipts in INTAKE; AlertFired, AlertUpdated, AlertAcknowledged, AlertCleared, AlertClearedUnseen;
       DeadLetterRecorded, DeadLetterReplayed; KeyCreated, KeyRevoked.
Keeps  the integration keys, folded at start and followed; nothing else.

A payload goes through four hands, and each is one file: an adapter reads the sender's words (`adapters/`), a `Signal`
says the same in ours, `alert_decider` decides purely what that changes, and `translator` appends it.
"""
