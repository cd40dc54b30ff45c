import zipfile

import numpy as np
import pytest

from bench.runner.challenge.ids import Asked
from bench.runner.challenge.intake import check_images, limits
from bench.runner.challenge.members import Members
from tests.runner.challenge.answers import archive, folder, jpeg, png, raw_png
from tests.toys import CLASSES, Recorder, pixels

SIDE = 64
IDS = [f"c{number:016x}" for number in range(4)]
MAPPING = {one: Asked(image_id=f"image-{one}") for one in IDS}
ORIGINALS = {
    MAPPING[one].image_id: image
    for one, image in zip(IDS, pixels(4, SIDE, SIDE).numpy(), strict=True)
}


def output(opaque, target=None):
    """The original a little darker, each target by another amount."""
    step = np.uint8(1 if target is None else 2 + CLASSES.index(target))
    return ORIGINALS[MAPPING[opaque].image_id] - step


def answer(targeted=True):
    """A complete one: name and bytes of each file."""
    wanted = CLASSES if targeted else [None]
    return {
        f"{one}__{t}.png" if targeted else f"{one}.png": png(output(one, t))
        for one in IDS
        for t in wanted
    }


@pytest.fixture(params=["folder", "zip"])
def check(request, tmp_path):
    def call(files, **options):
        files = list(files.items() if isinstance(files, dict) else files)
        if request.param == "zip":
            place = archive(tmp_path / "answer.zip", files)
        else:
            place = folder(tmp_path / "answer", files)
        with Members(place, limits(len(IDS), len(CLASSES), SIDE)) as members:
            return check_images(members, MAPPING, ORIGINALS, CLASSES, **options)

    return call


def kinds(intake, gravity):
    return {kind.name: examples for kind, examples in intake.problems.of(gravity).items()}


@pytest.mark.parametrize("targeted", [True, False])
def test_a_complete_answer_has_no_problem(check, targeted):
    recorder = Recorder()
    intake = check(answer(targeted), progress=recorder)
    assert intake.problems.rows() == []
    assert (intake.targeted, len(intake.files), intake.wanted) == (
        targeted,
        *[4 * (3 if targeted else 1)] * 2,
    )
    assert (sum(recorder.units), recorder.finished) == (intake.wanted, True)


def test_folders_inside_do_not_matter(check):
    assert (
        check({f"out/run 1/{name}": data for name, data in answer().items()}).problems.rows() == []
    )


def test_what_is_missing_is_named_image_by_image_and_target_by_target(check):
    files = answer()
    for name in [name for name in files if name.startswith(IDS[0])] + [f"{IDS[1]}__cam-b.png"]:
        del files[name]
    intake = check(files)
    assert kinds(intake, "partial") == {
        "image missing": [IDS[0]],
        "target missing": [f"{IDS[1]} to cam-b"],
    }
    assert kinds(intake, "error") == {}
    assert intake.summary == "8 of 12 files of a targeted method"


def test_all_problems_are_reported_not_the_first(check):
    files = answer()
    names = list(files)
    bad = {
        names[0]: png(output(IDS[0])[:, :32, :32]),
        names[1]: png(output(IDS[0])[0]),
        names[2]: raw_png(SIDE, SIDE, depth=16),
        names[3]: files[names[3]][:300],
        names[4]: b"",
        names[5]: jpeg(output(IDS[1])),
        names[6]: png(np.dstack([output(IDS[2]).transpose(1, 2, 0)] * 2)[..., :4]),
        names[7]: raw_png(SIDE, SIDE, colour=3),
        names[8]: b"P6 64 64 255 " + bytes(64),
    }
    intake = check(files | bad)
    found = kinds(intake, "error")
    assert {name: len(examples) for name, examples in found.items()} == {
        "wrong size": 1,
        "not RGB": 3,
        "not 8 bits a channel": 1,
        "unreadable or truncated": 1,
        "empty file": 1,
        "not a PNG": 2,
    }
    assert found["not 8 bits a channel"] == [f"{names[2]}: 16 bits"]
    assert kinds(intake, "partial") == {}  # a file that cannot be used was sent all the same
    assert len(intake.files) == 3
    rows = {row["what"]: row for row in intake.problems.rows()}
    assert rows["not RGB"]["count"] == 3
    assert "save as RGB" in rows["not RGB"]["remedy"]


def test_surplus_files_are_ignored_but_those_that_were_meant_for_us(check):
    files = answer() | {
        "notes.txt": b"hello",
        "cffffffffffffffff__cam-a.png": png(output(IDS[0])),
        f"{IDS[0]}__cam-aa.png": png(output(IDS[0])),
        ".DS_Store": b"x",
        "__MACOSX/._x.png": b"x",
        "challenge.json": b"{}",
    }
    intake = check(files)
    assert kinds(intake, "error") == {
        "file named almost as asked": [f"{IDS[0]}__cam-aa.png: no such target, did you mean cam-a?"]
    }
    assert kinds(intake, "partial") == {}
    assert sorted(kinds(intake, "note")["surplus file"]) == [
        "cffffffffffffffff__cam-a.png: no such id",
        "notes.txt: not named .png",
    ]
    assert len(intake.files) == 12


def test_originals_left_beside_targeted_files_are_not_taken_for_answers(check):
    originals = {f"images/{one}.png": png(ORIGINALS[MAPPING[one].image_id]) for one in IDS}
    intake = check(answer() | originals)
    assert len(kinds(intake, "note")["original beside targeted files"]) == 4
    assert (intake.targeted, len(intake.files), intake.copies) == (True, 12, 0)


def test_a_stray_target_among_untargeted_files_hides_nothing(check):
    files = answer(targeted=False)
    files[f"{IDS[1]}.png"] = b""
    stray = f"{IDS[0]}__cam-a.png"
    intake = check(files | {stray: png(output(IDS[0], "cam-a"))})
    assert kinds(intake, "error") == {
        "empty file": [f"{IDS[1]}.png: 0 bytes"],
        "named with and without target": [f"{stray} beside {IDS[0]}.png"],
    }
    assert (intake.targeted, len(intake.files), intake.wanted) == (False, 3, 4)
    assert kinds(intake, "partial") == {}


def test_a_file_without_target_among_targeted_ones_hides_nothing(check):
    files = answer()
    files[f"{IDS[1]}__cam-b.png"] = files[f"{IDS[1]}__cam-b.png"][:300]
    strays = {f"{IDS[0]}.png": png(output(IDS[0])), f"{IDS[2]}.png": b""}
    intake = check(files | strays)
    found = kinds(intake, "error")
    assert {name: len(examples) for name, examples in found.items()} == {
        "unreadable or truncated": 1,
        "empty file": 1,
        "named with and without target": 2,
    }
    assert (intake.targeted, len(intake.files)) == (True, 11)


def test_pictures_in_another_convention_are_noted(check):
    mirrored = {f"{one}.png": png(ORIGINALS[MAPPING[one].image_id][:, :, ::-1]) for one in IDS}
    assert kinds(check(mirrored), "note")["not the picture that it seems"] == [
        "the picture is flipped left to right"
    ]


def test_copies_of_originals_are_an_answer_where_they_are_not_beside_targeted_files(check):
    copies = {f"{one}.png": png(ORIGINALS[MAPPING[one].image_id]) for one in IDS}
    intake = check(copies | {f"{IDS[0]}__cam-a.png": png(output(IDS[0], "cam-a"))})
    assert (intake.targeted, len(intake.files)) == (False, 4)
    assert list(kinds(intake, "error")) == ["named with and without target"]


def test_a_photograph_of_another_camera_is_no_anonymised_image(check):
    files = answer()
    name = f"{IDS[0]}__cam-b.png"
    files[name] = png(ORIGINALS[MAPPING[IDS[3]].image_id], compress_level=0)
    intake = check(files)
    assert kinds(intake, "error") == {
        "another photograph of the challenge": [f"{name} is {IDS[3]}.png"]
    }
    assert len(intake.files) == 11


@pytest.mark.parametrize("targeted", [True, False])
def test_the_same_pixels_for_two_images_are_refused(check, targeted):
    files = answer(targeted)
    names = [f"{one}__cam-a.png" if targeted else f"{one}.png" for one in IDS]
    files[names[2]] = png(output(IDS[0], "cam-a" if targeted else None), compress_level=0)
    intake = check(files)
    assert kinds(intake, "error") == {"one image under several ids": [f"{names[2]} = {names[0]}"]}
    assert len(intake.files) == len(files) - 2


def test_two_photographs_that_are_the_same_may_have_the_same_answer(tmp_path):
    twins = ORIGINALS | {MAPPING[IDS[1]].image_id: ORIGINALS[MAPPING[IDS[0]].image_id]}
    files = answer(targeted=False) | {f"{IDS[1]}.png": png(output(IDS[0]))}
    with Members(folder(tmp_path / "x", files.items()), limits(4, 3, SIDE)) as members:
        assert check_images(members, MAPPING, twins, CLASSES).problems.rows() == []


def test_answers_far_from_their_originals_are_noted(check):
    files = answer(targeted=False)
    files[f"{IDS[0]}.png"] = png(255 - ORIGINALS[MAPPING[IDS[0]].image_id])
    intake = check(files)
    ((name, examples),) = kinds(intake, "note").items()
    assert (name, len(examples)) == ("PSNR below 10 dB", 1)
    assert examples[0].startswith(f"{IDS[0]}.png: ")
    assert len(intake.files) == 4


def test_a_copy_of_the_original_is_counted(check):
    files = answer(targeted=False)
    files[f"{IDS[2]}.png"] = png(ORIGINALS[MAPPING[IDS[2]].image_id], compress_level=0)
    intake = check(files)
    assert (intake.copies, kinds(intake, "note")) == (
        1,
        {"copy of its original": [f"{IDS[2]}.png"]},
    )
    assert len(intake.files) == 4


def test_the_same_output_for_several_targets_is_counted(check):
    files = answer()
    files[f"{IDS[3]}__cam-b.png"] = files[f"{IDS[3]}__cam-a.png"]
    assert kinds(check(files), "note") == {
        "same output for several targets": [f"{IDS[3]}__cam-a.png = {IDS[3]}__cam-b.png"]
    }


def test_a_file_there_twice_is_taken_neither_time(check):
    name = f"{IDS[0]}__cam-a.png"
    intake = check(answer() | {f"old/{name}": png(output(IDS[0])), f"{IDS[1]}__cam-a.PNG": b"x"})
    assert len(kinds(intake, "error")["file there twice"]) == 2
    assert len(intake.files) == 10
    assert kinds(intake, "partial") == {}


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_one_name_twice_in_a_zip(tmp_path):
    files = [*answer(targeted=False).items()]
    place = archive(tmp_path / "answer.zip", [*files, files[0]], zipfile.ZIP_STORED)
    with Members(place, limits(len(IDS), len(CLASSES), SIDE)) as members:
        intake = check_images(members, MAPPING, ORIGINALS, CLASSES)
    name = files[0][0]
    assert kinds(intake, "error") == {"file there twice": [f"{name} and {name}"]}


def test_digests_are_of_the_files_so_folder_and_zip_agree(tmp_path):
    files = list(answer().items())
    found = []
    for place in (archive(tmp_path / "x.zip", files), folder(tmp_path / "x", files[::-1])):
        with Members(place, limits(len(IDS), len(CLASSES), SIDE)) as members:
            intake = check_images(members, MAPPING, ORIGINALS, CLASSES)
        found.append({place: sent.sha256 for place, sent in intake.files.items()})
    assert found[0] == found[1]


def test_a_name_cannot_write_to_the_terminal(check):
    intake = check(answer() | {"\x1b[31mred.png": b""})
    (example,) = kinds(intake, "note")["surplus file"]
    assert "\x1b" not in example
    assert "red.png" in example
