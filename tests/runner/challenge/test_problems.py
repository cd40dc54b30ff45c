from bench.runner.challenge.problems import EXAMPLE_LETTERS, Kind, Problems

KIND = Kind(name="odd", gravity="note", remedy="none")


def test_a_cell_of_examples_stays_short():
    problems = Problems()
    for number in range(5):
        problems.add(KIND, f"{number}{'x' * 300}")
    (row,) = problems.rows()
    first, *_, more = row["examples"].split("; ")
    assert (len(first), first[-3:], more) == (EXAMPLE_LETTERS, "...", "... 2 more")
    assert row["count"] == 5
