import os
from pathlib import Path

import pytest

from bench.store.outputs import NOTE, Additions, note_own, own_folder, require_own, write_new
from bench.types import CamobenchError

MADE_OF = {"suite": "one", "attacks": ["jpeg"]}


@pytest.mark.parametrize(
    ("now", "lost"),
    [
        ({}, False),
        ({"attacks": ["blur", "jpeg"]}, False),
        ({"attacks": ["blur"]}, True),
        ({"suite": "two"}, True),
    ],
)
def test_a_folder_is_written_again_only_where_nothing_is_lost(tmp_path, now, lost):
    out = tmp_path / "out"
    require_own(out, "results", MADE_OF)
    note_own(out, "results", MADE_OF)
    if not lost:
        require_own(out, "results", MADE_OF | now)
        return
    with pytest.raises(CamobenchError, match="choose another --out"):
        require_own(out, "results", MADE_OF | now)


def test_a_folder_that_nobody_noted_is_somebody_elses(tmp_path):
    (tmp_path / ".DS_Store").touch()
    require_own(tmp_path, "results", MADE_OF)
    (tmp_path / "report.html").touch()
    with pytest.raises(CamobenchError, match=r"report\.html"):
        require_own(tmp_path, "results", MADE_OF)
    require_own(tmp_path, "board", MADE_OF, ["board.md"])
    note_own(tmp_path, "board", MADE_OF)
    with pytest.raises(CamobenchError, match=r"report\.html"):
        require_own(tmp_path, "results", MADE_OF)
    (tmp_path / NOTE).write_text("[")
    with pytest.raises(CamobenchError, match=r"report\.html"):
        require_own(tmp_path, "board", MADE_OF, ["report.html"])
    for below in ("report.html", "report.html/out"):
        with pytest.raises(CamobenchError, match=r"report\.html is no folder"):
            require_own(tmp_path / below, "results", MADE_OF)


def test_a_folder_that_cannot_be_made_is_refused_before_the_work(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "access", lambda path, mode: Path(path) != tmp_path)
    for look in (
        lambda: require_own(tmp_path / "a" / "b", "results", MADE_OF),
        lambda: own_folder(tmp_path / "out", "results", lambda folder: MADE_OF),
    ):
        with pytest.raises(PermissionError, match="cannot be written into; choose another --out"):
            look()


def test_the_first_folder_is_taken_where_nothing_is_lost(tmp_path):
    for suite, name in (("one", "out"), ("two", "out-2"), ("one", "out"), ("three", "out-3")):
        folder = own_folder(tmp_path / "out", "results", lambda _, suite=suite: {"suite": suite})
        assert folder.name == name
        note_own(folder, "results", {"suite": suite})


def test_a_file_is_never_replaced(tmp_path):
    path = tmp_path / "deep" / "a.png"
    write_new(path, b"one")
    write_new(path, b"one")
    with pytest.raises(CamobenchError, match="choose another name"):
        write_new(path, b"two")
    assert (path.read_bytes(), len(list(path.parent.iterdir()))) == (b"one", 1)


def test_names_that_are_taken_get_numbers_and_are_found_again(tmp_path):
    inputs = [("DSC", b"a"), ("DSC", b"b"), ("dsc", b"c"), ("DSC", b"a"), ("DSC-2", b"d")]
    names = ["DSC__T.png", "DSC-2__T.png", "dsc-3__T.png", "DSC-4__T.png", "DSC-2-2__T.png"]

    def added(inputs):
        additions = Additions(tmp_path)
        return [additions.add(stem, "__T.png", data).name for stem, data in inputs]

    for _ in range(2):
        assert added(inputs) == names
    assert added(inputs[1:2]) == names[1:2]
    assert added([("caf\u00e9", b"e"), ("cafe\u0301", b"f")])[1] == "cafe\u0301-2__T.png"
    (tmp_path / "new__T.png").symlink_to("nowhere")
    assert added([("new", b"g")]) == ["new-2__T.png"]
