import pytest

from tests.cli.words import one_line


@pytest.mark.parametrize("format_", ["md", "csv", "tex", "json"])
def test_doctor_in_every_format(camobench, tmp_path, format_):
    words = ["doctor", "--store", tmp_path / "store", "--quiet", "--format", format_]
    code, out, err = camobench(*words)
    assert (code, err) == (0, "")
    assert "torchvision" in out
    assert not (tmp_path / "store").exists()


def test_doctor_fails_on_what_is_no_store(camobench, tmp_path):
    (tmp_path / "letter.txt").touch()
    code, out, err = camobench("doctor", "--store", tmp_path, "--quiet")
    assert code == 1
    assert "not a camobench store" in out
    assert one_line(err) == "error: this machine is not fit yet: store\n"
