import pytest

from bench.challenge.file_names import MISNAMED, SURPLUS, is_junk, parse_name
from bench.challenge.findings import RefusedError

ID = "c0123456789abcdef"
TARGETS = ("Nikon_D200", "Kodak M1063", "Rollei__RCP", "Caméra", "v1.2")


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        (f"{ID}.png", (ID, None)),
        (f"{ID.upper()}__Nikon_D200.Png", (ID, "Nikon_D200")),
        (f"{ID}__Kodak M1063.png", (ID, "Kodak M1063")),
        (f"{ID}__Rollei__RCP.png", (ID, "Rollei__RCP")),
        (f"{ID}__Came\u0301ra.png", (ID, "Caméra")),
        (f"{ID}__v1.2.png", (ID, "v1.2")),
    ],
)
def test_a_name_tells_image_and_target(name, expected):
    assert parse_name(name, {ID}, TARGETS) == expected


@pytest.mark.parametrize(
    ("name", "kind", "why"),
    [
        ("c0123456789abcdee__Nikon_D200.png", SURPLUS, "no such id"),
        ("notes.png", SURPLUS, "no such id"),
        (f"{ID}.json", SURPLUS, "not named .png"),
        (f"{ID}__Nikon_D200", SURPLUS, "not named .png"),
        (f"{ID.upper()}_Nikon_D200.PNG", MISNAMED, "not IMAGEID__TARGET.png"),
        (f"{ID} (1).png", MISNAMED, "not IMAGEID__TARGET.png"),
        (f"pic{ID}__Nikon_D200.png", MISNAMED, "not IMAGEID__TARGET.png"),
        (f"{ID}__Nikon_D200.heic", MISNAMED, "not IMAGEID__TARGET.png"),
        (f"{ID}.jpg", MISNAMED, "not IMAGEID__TARGET.png"),
        (f"{ID}__.png", MISNAMED, "no such target"),
        (f"{ID}__nikon_d200.png", MISNAMED, "no such target, did you mean Nikon_D200?"),
        (f"{ID}__Nikon D200.png", MISNAMED, "no such target, did you mean Nikon_D200?"),
    ],
)
def test_any_other_name_is_refused_and_an_error_where_it_was_meant_as_an_answer(name, kind, why):
    with pytest.raises(RefusedError) as caught:
        parse_name(name, {ID}, TARGETS)
    assert (caught.value.kind, why in caught.value.detail) == (kind, True)


def test_what_file_managers_leave_is_junk():
    junk = ["__MACOSX/x/._a.png", ".DS_Store", "a/.git/x.png", "a/Thumbs.db", "README.md", ""]
    assert all(map(is_junk, [*junk, "challenge.json"]))
    assert not any(map(is_junk, [f"{ID}.png", f"out/{ID}.png", "notes.txt"]))
