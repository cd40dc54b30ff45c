"""What every attack and every victim must keep, checked without data: `camobench check`.

Each check is a function of a `Subject` that returns one verdict; the tests run the same functions
over both registries, so that there is one truth.
"""
