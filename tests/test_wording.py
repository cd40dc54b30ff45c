from bench.wording import listed, split_names


def test_of_many_items_the_first_few_and_how_many_more():
    assert listed(["a", "b"]) == "a, b"
    assert listed("abcdefg") == "a, b, c, d, e and 2 more"
    assert [listed("abc", most) for most in (2, 3)] == ["a, b and 1 more", "a, b, c"]


def test_known_names_may_hold_commas_and_end_in_blanks():
    known = {"Canon, 5D ", "5D", "LG"}
    assert split_names("LG, Canon, 5D, 5D,new", known) == ["LG", "Canon, 5D ", "5D", "new"]
