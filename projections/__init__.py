"""What it means: every ``.sql`` file in this package is one SELECT over the log, and becomes one view.

To add a projection, add a ``.sql`` file with its header (`projections.catalog` says which); nothing registers it. Only
this package imports duckdb. Others ask through `projections.warehouse.Warehouse`.
"""
