"""The claims of Andrews et al. (2020) as statements about a run, each with a verdict.

`evidence` gives the figures of a run and of the printed tables, `catalogue` lists the ten claims,
`judging` judges them and shows both sides.
"""
