import pytest

from bench.wording import in_seconds, listed, near, plural, split_names


def test_of_many_items_the_first_few_and_how_many_more():
    assert listed(["a", "b"]) == "a, b"
    assert listed("abcdefg") == "a, b, c, d, e and 2 more"
    assert listed("abc", 2) == "a, b and 1 more"


def test_numbers_agree_with_their_nouns():
    assert [plural(n, "cell") for n in (0, 1, 2, 1234)] == [
        "0 cells",
        "1 cell",
        "2 cells",
        "1,234 cells",
    ]


def test_slips_find_what_was_meant_nearest_first():
    known = {"wdf-resnet18": 1, "wdf-resnet34": 2, "pef-densenet40": 3}
    assert near("wdf-resnet8", known)[0] == "wdf-resnet18"
    assert near("qqqq", known) == []


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(0.2, "0.2 s"), (4.99974, "5 s"), (60.0, "60 s"), (3600.0, "3600 s"), (1e7, "10000000 s")],
)
def test_seconds_are_plain_numbers(seconds, said):
    assert in_seconds(seconds) == said


def test_known_names_may_hold_commas():
    known = {"Canon, Inc. EOS 5D", "C920Z", "C920Z,D450Z"}
    assert split_names("C920Z,D450Z, x,,Canon, Inc. EOS 5D", known) == [
        "C920Z,D450Z",
        "x",
        "Canon, Inc. EOS 5D",
    ]
    assert split_names("C920Z, D450Z", known) == ["C920Z", "D450Z"]
