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


def test_all_examples_are_there_for_programs():
    problems = Problems()
    grave = Kind(name="bad", gravity="error", remedy="mend it")
    found = [f"{number}{'x' * 300}" for number in range(5)]
    for example in found[::-1]:
        problems.add(KIND, example)
    problems.add(grave, "g")
    assert [row["examples"] for row in problems.records()] == [["g"], found]
    assert [list(row.values()) for row in problems.lines()] == [
        ["bad", "error", "g", "mend it"],
        *(["odd", "note", example, "none"] for example in found),
    ]
