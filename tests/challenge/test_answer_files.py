import os
import struct
import zipfile

import pytest

from bench.challenge.answer_files import AnswerFiles
from bench.challenge.findings import RefusedError
from bench.types import WrongUsageError
from tests.challenge.answers import archive, folder

GOOD = [("a.png", b"one"), ("sub folder/b.png", b"two"), ("c.png", os.urandom(5000))]


def read(place, most_files=6):
    """Names and bytes of what can be read, and what is wrong by kind."""
    with AnswerFiles(place, most_bytes=200_000, most_files=most_files) as opened:
        found, wrong = {}, {kind.name: some for kind, some in opened.findings.found.items()}
        for file in opened.files:
            try:
                found[file.path.split("/")[-1]] = opened.read(file)
            except RefusedError as error:
                wrong[file.path.split("/")[-1]] = str(error)
        return found, wrong


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, None])
def test_a_zip_and_a_folder_give_their_files(tmp_path, method):
    place = tmp_path / "x"
    found, wrong = read(folder(place, GOOD) if method is None else archive(place, GOOD, method))
    assert (found, wrong) == ({name.split("/")[-1]: data for name, data in GOOD}, {})


@pytest.mark.parametrize("what", ["nothing", "a file", "a part of a zip"])
def test_neither_a_folder_nor_a_zip(tmp_path, what):
    place = tmp_path / "x"
    if what != "nothing":
        place.write_bytes(b"Rar!" if what == "a file" else archive(place, GOOD).read_bytes()[:-30])
    with pytest.raises(WrongUsageError, match="x is neither a folder or zip of images"):
        read(place)


@pytest.mark.parametrize(
    "name",
    ["../a.png", "x/../../a.png", "/etc/a.png", "C:/a.png", "C:\\a.png", "x\\..\\a.png", "a\0.png"],
)
def test_a_path_that_leaves_the_archive_is_not_read(tmp_path, name):
    info = zipfile.ZipInfo("placeholder")
    info.filename = info.orig_filename = name
    found, wrong = read(archive(tmp_path / "x.zip", [(info, b"data"), *GOOD]))
    assert (list(wrong), len(found)) == (["path that leaves the archive"], 3)


def test_links_and_pipes_in_a_folder_are_not_opened(tmp_path):
    secret = folder(tmp_path / "secret", [("s.png", b"secret")])
    place = folder(tmp_path / "x", GOOD)
    (place / "link.png").symlink_to(secret / "s.png")
    (place / "folder").symlink_to(secret)
    (place / "dangling.png").symlink_to("nowhere")
    os.mkfifo(place / "pipe.png")
    found, wrong = read(place)
    assert set(found) == {"a.png", "b.png", "c.png"}
    assert wrong == {"link or special file": ["dangling.png", "folder", "link.png", "pipe.png"]}


@pytest.mark.parametrize("make", [archive, folder])
def test_what_is_larger_than_an_image_is_not_read_nor_too_many_files(tmp_path, make):
    files = [("a.png", bytes(200_001)), ("b.png", b"b"), ("notes.txt", bytes(300_000))]
    found, wrong = read(make(tmp_path / "large", files))
    assert set(found) == {"b.png"}
    assert wrong["too large for an image"] == ["a.png: 200001 bytes"]
    assert wrong["notes.txt"] == "too large for an image: more than 200000 bytes"
    place = make(tmp_path / "many", [(f"{n}.png", b"x") for n in range(500)])
    assert read(place)[1] == {"too many files": ["more than 6"]}


def test_a_directory_that_is_too_large_is_not_expanded(tmp_path, monkeypatch):
    place = archive(tmp_path / "x.zip", [(f"{n:02d}{'n' * 60_000}.png", b"") for n in range(20)])
    monkeypatch.setattr(zipfile, "ZipInfo", None)  # one is made for each file
    assert read(place)[1] == {"too many files": ["x.zip: a directory of 1201040 bytes"]}


def changed(place, *changes):
    """The archive with bytes put in at a distance behind the last place of a signature."""
    data = bytearray(place.read_bytes())
    for signature, at, value in changes:
        start = data.rindex(signature) + at
        data[start : start + len(value)] = value
    place.write_bytes(bytes(data))
    return place


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ([(b"PK\3\4", 22, b"\1\0\0\0"), (b"PK\1\2", 24, b"\1\0\0\0")], "Bad CRC"),  # lies on size
        ([(b"PK\1\2", 42, struct.pack("<I", 0))], "differ"),  # shares the bytes of another
        ([(b"PK\1\2", 8, b"\1")], "encrypted"),
        ([(b"two", 0, b"owt")], "Bad CRC"),
    ],
)
def test_a_damaged_file_is_refused_and_the_others_are_read(tmp_path, changes, message):
    place = archive(tmp_path / "x.zip", [("a.png", b"one"), ("b.png", b"two")], zipfile.ZIP_STORED)
    found, wrong = read(changed(place, *changes))
    assert (found, list(wrong)) == ({"a.png": b"one"}, ["b.png"])
    assert wrong["b.png"].startswith("unreadable or truncated: ")
    assert message in wrong["b.png"]


@pytest.mark.parametrize("change", [(b"PK\1\2", 6, b"\x63"), (b"PK\1\2", 0, b"XX")])
def test_a_directory_that_is_damaged_is_named(tmp_path, change):
    found, wrong = read(changed(archive(tmp_path / "x.zip", GOOD), change))
    assert (found, list(wrong)) == ({}, ["unreadable or truncated"])
    assert wrong["unreadable or truncated"][0].startswith("x.zip: ")


@pytest.mark.parametrize("method", [zipfile.ZIP_LZMA, zipfile.ZIP_BZIP2])
def test_what_could_inflate_without_a_limit_is_not_read(tmp_path, method):
    place = archive(tmp_path / "x.zip", [("a.png", b"a" * 500)], method)
    assert read(place) == ({}, {"unknown compression": [f"a.png: method {method}"]})
