"""The audit of a prepared suite: what in its data would make its numbers untrustworthy.

`run.audit` checks, `record` keeps the verdict with the suite. One file a subject, each check a
function from the suite's manifest to a `Finding`.
"""
