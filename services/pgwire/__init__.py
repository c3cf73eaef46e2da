"""The PostgreSQL wire: the views for psql, drivers and BI tools.

The protocol is 3.0, as chapter 55 of PostgreSQL's manual describes it.

Hears  connections of SQL users, on a port of its own.
Says   nothing to the log.
Keeps  nothing; its users are a file of the data folder.
"""
