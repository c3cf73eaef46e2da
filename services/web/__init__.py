"""The web: what people see, and the HTTP API.

Hears  everything in the log (to push it to open pages), and HTTP.
Says   nothing of its own: commands go to the services that decide.
Keeps  nothing: tokens and names are read from the log and the warehouse.
"""
