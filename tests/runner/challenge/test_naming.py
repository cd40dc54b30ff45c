import pytest

from bench.runner.challenge.naming import Names, Unread, is_junk

ID = "c0123456789abcdef"
TARGETS = ("Nikon_D200", "Kodak M1063", "Rollei__RCP", "Caméra", "v1.2")
NAMES = Names([ID], TARGETS)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        (f"{ID}.png", (ID, None)),
        (f"{ID}.PNG", (ID, None)),
        (f"{ID.upper()}__Nikon_D200.Png", (ID, "Nikon_D200")),
        (f"{ID}__Kodak M1063.png", (ID, "Kodak M1063")),
        (f"{ID}__Rollei__RCP.png", (ID, "Rollei__RCP")),
        (f"{ID}__Came\u0301ra.png", (ID, "Caméra")),
        (f"{ID}__v1.2.png", (ID, "v1.2")),
    ],
)
def test_a_name_tells_image_and_target(name, expected):
    assert NAMES.parse(name) == expected


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("c0123456789abcdee.png", "no such id"),
        ("c0123456789abcdee__Nikon_D200.png", "no such id"),
        ("notes.png", "no such id"),
        (f"{ID}.png.txt", "not named .png"),
        (f"{ID}.json", "not named .png"),
    ],
)
def test_any_other_name_is_none_of_ours(name, why):
    assert NAMES.parse(name) == Unread(why=why, meant=False)


@pytest.mark.parametrize(
    ("name", "why"),
    [
        (f"{ID}_Nikon_D200.png", "two underscores go between id and target"),
        (f"{ID.upper()}_Nikon_D200.PNG", "two underscores go between id and target"),
        (f"{ID}-Nikon_D200.png", "nothing but __TARGET goes after the id"),
        (f"{ID} (1).png", "nothing but __TARGET goes after the id"),
        (f"x_{ID}__Nikon_D200.png", "the id goes first"),
        (f" {ID}.png", "the id goes first"),
        (f"pic{ID}.png", "the id goes first"),
        (f"{ID}__Nikon_D200.heic", "no PNG: save what the method makes as one"),
        (f"{ID}__Nikon_D200", "no PNG: save what the method makes as one"),
        (f"{ID}.jpg", "no PNG: save what the method makes as one"),
        (f"{ID}__Nikon_D200.TIFF", "no PNG: save what the method makes as one"),
        (f"{ID}__.png", "no such target"),
        (f"{ID}__nikon_d200.png", "no such target, did you mean Nikon_D200?"),
        (f"{ID}__NIKON_D200.png", "no such target, did you mean Nikon_D200?"),
        (f"{ID}__Nikon D200.png", "no such target, did you mean Nikon_D200?"),
        (f"{ID}__Leica.png", "no such target"),
    ],
)
def test_an_image_with_an_id_in_its_name_was_meant_for_us(name, why):
    assert NAMES.parse(name) == Unread(why=why, meant=True)


def test_what_file_managers_leave_is_junk():
    junk = ["__MACOSX/x/._a.png", ".DS_Store", "a/.git/x.png", "a/Thumbs.db", "README.md"]
    assert all(map(is_junk, [*junk, "challenge.json"]))
    assert not any(map(is_junk, [f"{ID}.png", f"out/{ID}.png", "notes.txt"]))
