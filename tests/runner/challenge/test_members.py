import os
import stat
import struct
import zipfile

import pytest

from bench.runner.challenge.directory import read_directory
from bench.runner.challenge.members import Limits, Members
from bench.runner.challenge.png import RefusedError
from bench.types import WrongUsageError
from tests.runner.challenge.answers import archive, folder

LIMITS = Limits(file_bytes=200_000, files=6)
GOOD = [("a.png", b"one"), ("sub folder/b.png", b"two"), ("c.png", os.urandom(5000))]


def read(place, limits=LIMITS):
    """Names and bytes of what can be read, and the problems by kind."""
    with Members(place, limits) as members:
        found = {member.name: members.read(member) for member in members}
        return found, {kind.name: examples for kind, examples in members.problems.found.items()}


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_a_zip_gives_its_files(tmp_path, method):
    found, problems = read(archive(tmp_path / "x.zip", GOOD, method))
    assert problems == {}
    assert found == {name.split("/")[-1]: data for name, data in GOOD}


def test_a_folder_gives_its_files(tmp_path):
    found, problems = read(folder(tmp_path / "x", GOOD))
    assert problems == {}
    assert found == {name.split("/")[-1]: data for name, data in GOOD}


@pytest.mark.parametrize("what", ["nothing", "a file"])
def test_neither_a_folder_nor_a_zip(tmp_path, what):
    if what == "a file":
        (tmp_path / "x").write_bytes(b"Rar!")
    with pytest.raises(WrongUsageError, match="x is neither a folder or zip of images"):
        Members(tmp_path / "x", LIMITS)


@pytest.mark.parametrize(
    "name",
    ["../a.png", "x/../../a.png", "/etc/a.png", "C:/a.png", "C:\\a.png", "x\\..\\a.png", "a\0.png"],
)
def test_a_path_that_leaves_the_archive_is_not_read(tmp_path, name):
    info = zipfile.ZipInfo("placeholder")
    info.filename = info.orig_filename = name
    found, problems = read(archive(tmp_path / "x.zip", [(info, b"data"), *GOOD]))
    assert list(problems) == ["path that leaves the archive"]
    assert len(found) == 3
    assert not (tmp_path.parent / "a.png").exists()


def test_a_link_in_a_zip_is_not_followed(tmp_path):
    link = zipfile.ZipInfo("a.png")
    link.create_system = 3
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    found, problems = read(archive(tmp_path / "x.zip", [(link, b"/etc/passwd")]))
    assert (found, problems) == ({}, {"link or special file": ["a.png"]})


def test_links_and_pipes_in_a_folder_are_not_opened(tmp_path):
    secret = folder(tmp_path / "secret", [("s.png", b"secret")])
    place = folder(tmp_path / "x", GOOD)
    (place / "link.png").symlink_to(secret / "s.png")
    (place / "folder").symlink_to(secret)
    (place / "dangling.png").symlink_to("nowhere")
    os.mkfifo(place / "pipe.png")
    found, problems = read(place)
    assert set(found) == {"a.png", "b.png", "c.png"}
    assert sorted(problems["link or special file"]) == [
        *("dangling.png", "folder", "link.png", "pipe.png")
    ]


def test_a_bomb_is_not_inflated(tmp_path):
    place = archive(tmp_path / "x.zip", [("a.png", bytes(100_000)), ("b.png", b"b")])
    found, problems = read(place)
    assert set(found) == {"b.png"}
    assert "-fold to 100000 bytes" in problems["inflates beyond reason"][0]


def test_all_files_together_have_a_limit_even_those_that_are_no_images(tmp_path):
    data = os.urandom(20_000) * 4  # 80 kB in 20 kB
    place = archive(tmp_path / "x.zip", [(f"{n}.txt", data) for n in range(4)])
    with Members(place, Limits(file_bytes=50_000, files=4)) as members:
        assert [member.name for member in members] == ["0.txt", "1.txt"]
        (kind,) = members.problems.found
        assert kind.name == "inflates beyond reason"
    with Members(place, Limits(file_bytes=200, files=4)) as members:
        assert len(members) == 0
        assert next(iter(members.problems.found)).name == "too large for an image"


def test_a_header_that_lies_about_a_size_is_noticed(tmp_path):
    place = archive(tmp_path / "x.zip", [("a.png", os.urandom(5000))])
    data = bytearray(place.read_bytes())
    for signature, at in ((b"PK\3\4", 22), (b"PK\1\2", 24)):  # uncompressed size
        start = data.index(signature) + at
        data[start : start + 4] = struct.pack("<I", 10)
    place.write_bytes(bytes(data))
    with Members(place, LIMITS) as members:
        (member,) = members
        with pytest.raises(RefusedError, match="CRC"):
            members.read(member)


def test_members_that_share_their_bytes_are_refused(tmp_path):
    place = archive(tmp_path / "x.zip", [("a.png", os.urandom(500)), ("b.png", b"b")])
    data = bytearray(place.read_bytes())
    second = data.index(b"PK\1\2", data.index(b"PK\1\2") + 4)
    data[second + 42 : second + 46] = struct.pack("<I", 0)  # offset of the first
    place.write_bytes(bytes(data))
    with Members(place, LIMITS) as members:
        assert [kind.name for kind in members.problems.found] == ["inflates beyond reason"]


@pytest.mark.parametrize("kind", ["zip", "folder"])
def test_a_file_beyond_the_limit_is_not_read(tmp_path, kind):
    make, place = (archive, tmp_path / "x.zip") if kind == "zip" else (folder, tmp_path / "x")
    found, problems = read(make(place, [("a.png", os.urandom(200_001)), ("b.png", b"b")]))
    assert set(found) == {"b.png"}
    assert "200001 bytes" in problems["too large for an image"][0]


@pytest.mark.parametrize("kind", ["zip", "folder"])
def test_too_many_files(tmp_path, kind):
    make, place = (archive, tmp_path / "x.zip") if kind == "zip" else (folder, tmp_path / "x")
    _, problems = read(make(place, [(f"{n}.png", b"x") for n in range(7)]))
    assert list(problems) == ["too many files"]


def test_encrypted_and_strangely_compressed_members_are_named(tmp_path):
    place = archive(tmp_path / "x.zip", [("a.png", b"a" * 500)], zipfile.ZIP_LZMA)
    assert read(place)[1] == {"unknown compression": ["a.png: method 14"]}
    place = archive(tmp_path / "y.zip", [("a.png", b"a")])
    data = bytearray(place.read_bytes())
    data[data.index(b"PK\1\2") + 8] |= 1
    place.write_bytes(bytes(data))
    assert read(place)[1] == {"encrypted file": ["a.png"]}


def test_a_damaged_member_is_refused_and_the_others_are_read(tmp_path):
    place = archive(tmp_path / "x.zip", GOOD, zipfile.ZIP_STORED)
    data = bytearray(place.read_bytes())
    data[data.index(b"one")] ^= 0xFF
    place.write_bytes(bytes(data))
    with Members(place, LIMITS) as members:
        first, second, _ = members
        with pytest.raises(RefusedError, match="unreadable or truncated: Bad CRC"):
            members.read(first)
        assert members.read(second) == b"two"


def test_a_truncated_archive_is_no_archive(tmp_path):
    place = archive(tmp_path / "x.zip", GOOD)
    place.write_bytes(place.read_bytes()[:-30])
    with pytest.raises(WrongUsageError, match="neither a folder or zip of images"):
        Members(place, LIMITS)


def test_a_zip_of_a_version_that_nobody_reads_is_damaged(tmp_path):
    place = tmp_path / "v.zip"
    with zipfile.ZipFile(place, "w") as archive:
        archive.writestr("a.png", b"x")
    content = bytearray(place.read_bytes())
    central = content.index(b"PK\x01\x02")
    content[central + 6] = 99  # version needed to extract
    place.write_bytes(content)
    with Members(place, LIMITS) as members:
        assert list(members) == []
        assert members.problems


@pytest.mark.parametrize("name", ["", ".", "./"])
def test_a_file_without_a_name_is_named_by_its_archive(tmp_path, name):
    info = zipfile.ZipInfo("placeholder")
    info.filename = info.orig_filename = name
    found, problems = read(archive(tmp_path / "x.zip", [*GOOD, (info, b"data")]))
    assert len(found) == 3
    assert list(problems) == ([] if name.endswith("/") else ["file without a name"])


def opened(monkeypatch):
    """Whether `zipfile` was asked to expand an archive."""
    calls = []
    real = zipfile.ZipFile

    def watched(*words):
        calls.append(words)
        return real(*words)

    monkeypatch.setattr(zipfile, "ZipFile", watched)
    return calls


@pytest.mark.parametrize("count", [7, 500])
def test_a_directory_of_too_many_files_is_not_expanded(tmp_path, monkeypatch, count):
    place = archive(tmp_path / "x.zip", [(f"{n}.png", b"") for n in range(count)])
    calls = opened(monkeypatch)
    assert list(read(place)[1]) == ["too many files"]
    assert calls == []


def test_a_directory_with_an_endless_name_is_not_expanded(tmp_path, monkeypatch):
    place = archive(tmp_path / "x.zip", [("n" * 2000 + ".png", b"")])
    calls = opened(monkeypatch)
    assert read(place)[1] == {"name that is too long": ["x.zip: one of 2004 bytes"]}
    assert calls == []


@pytest.mark.parametrize("large", [False, True])
def test_a_directory_is_counted_as_zipfile_does(tmp_path, monkeypatch, large):
    if large:
        monkeypatch.setattr(zipfile, "ZIP_FILECOUNT_LIMIT", 1)  # writes the records of ZIP64
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as made:
        made.comment = b"a comment"
        made.mkdir("sub folder")
        for name, data in GOOD:
            made.writestr(name, data)
    with zipfile.ZipFile(tmp_path / "x.zip") as made:
        names = [len(info.filename) for info in made.infolist()]
    found = read_directory(tmp_path / "x.zip", 1000)
    assert (found.members, found.longest_name) == (len(names), max(names))
    assert read_directory(tmp_path / "x.zip", 100) is None


def test_a_directory_that_is_damaged_is_named(tmp_path):
    place = archive(tmp_path / "x.zip", GOOD)
    data = bytearray(place.read_bytes())
    data[data.index(b"PK\1\2", data.index(b"PK\1\2") + 1)] ^= 0xFF
    place.write_bytes(bytes(data))
    found, problems = read(place)
    assert (found, problems) == (
        {},
        {"unreadable or truncated": ["x.zip: its directory is damaged"]},
    )
