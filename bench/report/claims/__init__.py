"""The claims of Andrews et al. (2020) as statements about a run, each with a verdict.

`statement` says what a claim is and judges it, `catalogue` lists the ten, `evidence` gives the
figures of a run and of the printed tables, `judging` shows both side by side.
"""
