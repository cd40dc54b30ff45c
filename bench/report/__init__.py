"""Tables, figures and the report, recomputed from a run's Parquet and JSON files alone.

Nothing here imports torch or knows an attack or a victim by name, so that anyone can rebuild a
table on a laptop. `tables.write_tables` and `html.write_report` are the two ways in.
"""
