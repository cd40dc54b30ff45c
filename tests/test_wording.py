from bench.wording import listed, near


def test_of_many_items_the_first_few_and_how_many_more():
    assert listed(["a", "b"]) == "a, b"
    assert listed("abcdefg") == "a, b, c, d, e and 2 more"
    assert listed("abc", 2) == "a, b and 1 more"


def test_slips_find_what_was_meant_nearest_first():
    known = {"wdf-resnet18": 1, "wdf-resnet34": 2, "pef-densenet40": 3}
    assert near("wdf-resnet8", known)[0] == "wdf-resnet18"
    assert near("qqqq", known) == []
