from pathlib import PurePosixPath

from bench.suites.layouts.naming import Photo
from bench.suites.photographs.scene_homes import give_homes, held_out


def photo(name, scene):
    return Photo(
        path=PurePosixPath(name), model="m", device="m/d", shot=name, scene=scene, sha256=name,
        width=64, height=64,
    )  # fmt: skip


def photos(count, prefix="p"):
    return [photo(f"{prefix}{i}", f"s{i}") for i in range(count)]


def test_five_scenes_give_two_two_and_one():
    for seed in range(5):
        homes = give_homes([dict.fromkeys("ABC", photos(5))], seed)
        assert sorted(homes.values()) == ["A", "A", "B", "B", "C"]
    homes = {tuple(give_homes([dict.fromkeys("ABC", photos(20))], s).items()) for s in range(5)}
    assert len(homes) == 5


def test_validation_takes_whole_scenes_and_leaves_one():
    several = photos(4, "x") + photos(4, "y")
    chosen = held_out(several, 2, 0, "v")
    assert len(chosen) == 2
    assert {name[1:] for name in chosen if name[0] == "x"} == {
        name[1:] for name in chosen if name[0] == "y"
    }
    assert len(held_out(several, 8, 0, "v")) == 6
    same = [photo(name, "s") for name in "abc"]
    assert len(held_out(same, 1, 0, "v")) == 1
