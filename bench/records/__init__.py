"""The one room of the formats: what a run's folder holds, how it is read and what it must fulfil.

`entry` is the record of an attack, `frames` the two Parquet tables, `metric` their columns of
figures, `networks` and `samples` the files beside them, and `run` all of a folder, read and checked
once. Nothing here imports torch.
"""
