"""PostgreSQL's dialect and system catalog over the warehouse, for tools that know no other database.

A statement is parsed, not matched: what is PostgreSQL's alone in it (`dialect`) is replaced in the parsed tree. A
question about the catalog is answered by a small DuckDB instance of its own (`system_catalog`) that holds descriptions
of the views and nothing of the log, so nothing that a tool asks of the catalog reaches the warehouse.
"""
