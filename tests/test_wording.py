from bench.wording import listed


def test_of_many_items_the_first_few_and_how_many_more():
    assert listed(["a", "b"]) == "a, b"
    assert listed("abcdefg") == "a, b, c, d, e and 2 more"
    assert [listed("abc", most) for most in (2, 3)] == ["a, b and 1 more", "a, b, c"]
