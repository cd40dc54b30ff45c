"""How long the missing networks and cells of a request will take, from a few seconds of trying.

Networks are built as they would be, with random weights: one batch through each generator,
front-end and backbone, and an optimiser step of each training. Networks of the same shape are tried
once. When the time for trying is over, the rest is taken to cost what its kind does on average.
"""

from bench.runner.estimate.session import Estimate, estimate, readable, work_rows

__all__ = ["Estimate", "estimate", "readable", "work_rows"]
