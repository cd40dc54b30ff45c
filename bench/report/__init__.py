"""Tables, figures, pages and boards, recomputed from a run's Parquet and JSON files alone.

Nothing here imports torch or knows an attack or a victim by name, so that anyone can rebuild a
table on a laptop. `tables` makes a run's tables, `pages` its report and the site, `leaderboard`
boards of many runs; figures are those of `statistics`, written by `tables.table.number`.
"""
