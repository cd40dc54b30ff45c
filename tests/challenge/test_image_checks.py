import numpy as np
import pytest

from bench.challenge.answer_files import AnswerFiles
from bench.challenge.findings import EXAMPLE_LETTERS, RefusedError
from bench.challenge.image_checks import MISNAMED, SURPLUS, check_images, is_junk, parse_name
from tests.challenge.answers import archive, folder, saved
from tests.toys import CLASSES, Recorder, pixels

SIDE = 64
IDS = [f"c{number:016x}" for number in range(4)]
ORIGINALS = dict(zip(IDS, pixels(4, SIDE, SIDE).numpy(), strict=True))


WHOLE = saved(ORIGINALS[IDS[0]])
BOMB = WHOLE[:16] + b"\0\0\xea\x60" * 2 + WHOLE[24:]


def output(opaque, target=None):
    """The original a little darker, each target by another amount."""
    return ORIGINALS[opaque] - np.uint8(1 if target is None else 2 + CLASSES.index(target))


def answer(targeted=True):
    """A complete one: name and bytes of each file."""
    if not targeted:
        return {f"{one}.png": saved(output(one)) for one in IDS}
    return {f"{one}__{t}.png": saved(output(one, t)) for one in IDS for t in CLASSES}


@pytest.fixture
def check(tmp_path):
    def call(files, originals=ORIGINALS, make=folder, **options):
        files = files.items() if isinstance(files, dict) else files
        place = make(tmp_path / f"answer-{make.__name__}", files)
        with AnswerFiles(place, most_bytes=100_000, most_files=100) as opened:
            return check_images(opened, originals, CLASSES, **options)

    return call


def errors(checked):
    return checked.findings.of("error")


@pytest.mark.parametrize("targeted", [True, False])
def test_a_complete_answer_has_no_finding(check, targeted):
    recorder, files = Recorder(), answer(targeted)
    checked = check(files, progress=recorder)
    assert checked.findings.rows() == []
    assert (checked.targeted, len(checked.images)) == (targeted, len(files))
    assert (sum(recorder.units), recorder.finished) == (checked.wanted, True)
    inside = {f"out/run 1/{name}": data for name, data in files.items()}
    zipped = check(inside, make=archive)
    digests = [{p: one.sha256 for p, one in c.images.items()} for c in (checked, zipped)]
    assert digests[0] == digests[1]


def test_all_findings_are_reported_not_the_first(check):
    files = answer()
    names = list(files)
    bad = {
        names[0]: saved(output(IDS[0])[:, :32, :32]),
        names[1]: saved(output(IDS[0])[0]),
        names[2]: BOMB,
        names[3]: files[names[3]][:300],
        names[4]: b"",
        names[5]: saved(output(IDS[1]), "JPEG"),
        f"old/{names[7]}": files[names[7]],
        f"{IDS[3]}__cam-aa.png": files[names[9]],
        "cffffffffffffffff__cam-a.png": b"",
        "\x1b[31mred.png": b"",
        ".DS_Store": b"x",
        "challenge.json": b"{}",
    }
    checked = check(files | bad)
    assert {kind: len(found) for kind, found in errors(checked).items()} == {
        "wrong size": 2,
        "not 8-bit RGB": 1,
        "unreadable or truncated": 1,
        "not a PNG": 2,
        "file there twice": 1,
        "file named almost as asked": 1,
    }
    (example,) = errors(checked)["file named almost as asked"]
    assert example == f"{IDS[3]}__cam-aa.png: no such target"
    assert checked.findings.of("partial") == {}  # what cannot be used was sent all the same
    assert f"{names[2]}: 60000 x 60000, expected 64 x 64" in errors(checked)["wrong size"]
    assert len(checked.images) == 12 - 7
    red, unknown = checked.findings.of("note")["surplus file"]
    assert ("\x1b" in red, "red.png" in red, unknown) == (
        *(False, True),
        "cffffffffffffffff__cam-a.png: no such id",
    )
    (row,) = [row for row in checked.findings.rows() if row["what"] == "not 8-bit RGB"]
    assert (row["gravity"], row["count"]) == ("error", 1)
    assert "save as RGB" in row["remedy"]


def test_what_is_missing_is_named_image_by_image_and_target_by_target(check):
    files = answer()
    for name in [name for name in files if name.startswith(IDS[0])] + [f"{IDS[1]}__cam-b.png"]:
        del files[name]
    checked = check(files)
    assert checked.findings.of("partial") == {
        "image missing": [IDS[0]],
        "target missing": [f"{IDS[1]} to cam-b"],
    }
    assert errors(checked) == {}
    assert (len(checked.images), checked.wanted) == (8, 12)


def test_originals_left_beside_targeted_files_are_not_taken_for_answers(check):
    originals = {f"images/{one}.png": saved(image) for one, image in ORIGINALS.items()}
    checked = check(answer() | originals)
    assert len(checked.findings.of("note")["original beside targeted files"]) == 4
    assert (checked.targeted, len(checked.images), checked.copies) == (True, 12, 0)


@pytest.mark.parametrize("targeted", [True, False])
def test_a_file_named_as_of_the_other_kind_of_method_hides_nothing(check, targeted):
    files = answer(targeted)
    first = next(iter(files))
    stray = f"{IDS[2]}.png" if targeted else f"{IDS[2]}__cam-a.png"
    checked = check(files | {first: b"", stray: saved(output(IDS[2], "cam-a"))})
    assert errors(checked) == {
        "not a PNG": [f"{first}: 0 bytes"],
        "named with and without target": [stray],
    }
    assert (checked.targeted, len(checked.images)) == (targeted, len(files) - 1)
    assert checked.findings.of("partial") == {}


@pytest.mark.parametrize("targeted", [True, False])
def test_another_photograph_and_the_same_pixels_for_two_images_are_refused(check, targeted):
    files = answer(targeted)
    names = [f"{one}__cam-a.png" if targeted else f"{one}.png" for one in IDS]
    files[names[0]] = saved(ORIGINALS[IDS[3]], compress_level=0)
    files[names[2]] = saved(output(IDS[1], "cam-a" if targeted else None), compress_level=0)
    checked = check(files)
    assert errors(checked) == {
        "another photograph of the challenge": [f"{names[0]} is {IDS[3]}.png"],
        "one image under several ids": [f"{names[2]} = {names[1]}"],
    }
    assert len(checked.images) == len(files) - 3


def test_two_photographs_that_are_the_same_may_have_the_same_answer(check):
    twins = ORIGINALS | {IDS[1]: ORIGINALS[IDS[0]]}
    files = answer(targeted=False) | {f"{IDS[1]}.png": saved(output(IDS[0]))}
    assert check(files, twins).findings.rows() == []


def test_what_is_odd_is_noted_and_scored(check):
    files = answer()
    files[f"{IDS[0]}__cam-a.png"] = saved(255 - ORIGINALS[IDS[0]])
    files[f"{IDS[1]}__cam-a.png"] = saved(ORIGINALS[IDS[1]], compress_level=0)
    files[f"{IDS[3]}__cam-b.png"] = files[f"{IDS[3]}__cam-a.png"]
    checked = check(files)
    notes = checked.findings.of("note")
    assert notes.pop("PSNR below 10 dB")[0].startswith(f"{IDS[0]}__cam-a.png: ")
    assert notes == {"copy of its original": [f"{IDS[1]}__cam-a.png"]}
    assert (len(checked.images), checked.copies, errors(checked)) == (12, 1, {})


def test_pictures_in_another_convention_are_noted(check):
    files = {f"{one}.png": saved(np.ascontiguousarray(ORIGINALS[one][::-1])) for one in IDS}
    (said,) = check(files).findings.of("note")["odd pictures"]
    assert "channels" in said


def test_findings_are_short_for_people_and_whole_for_programs(check):
    checked = check({f"{number}{'x' * 300}": b"" for number in range(5)}, make=archive)
    (row,) = [one for one in checked.findings.rows() if one["gravity"] == "note"]
    (record,) = [one for one in checked.findings.records() if one["gravity"] == "note"]
    assert row["examples"].endswith("; ... 2 more")
    assert len(row["examples"]) < 4 * EXAMPLE_LETTERS
    assert (row["count"], len(record["examples"])) == (5, 5)
    lines = [line["examples"] for line in checked.findings.lines() if line["gravity"] == "note"]
    assert lines == record["examples"]
    assert [row["gravity"] for row in checked.findings.rows()] == ["partial", "note"]


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
        (f"{ID}__nikon_d200.png", MISNAMED, "no such target"),
    ],
)
def test_any_other_name_is_refused_and_an_error_where_it_was_meant_as_an_answer(name, kind, why):
    with pytest.raises(RefusedError) as caught:
        parse_name(name, {ID}, TARGETS)
    assert (caught.value.kind, why in caught.value.detail) == (kind, True)


def test_what_file_managers_leave_is_junk():
    junk = ["__MACOSX/x/._a.png", ".DS_Store", "a/@eaDir/x.png", "a/Thumbs.db", "README.md", ""]
    assert all(map(is_junk, [*junk, "challenge.json"]))
    assert not any(map(is_junk, [f"{ID}.png", f"out/{ID}.png", "notes.txt"]))
