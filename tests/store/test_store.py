import errno
import hashlib
import json
import os
from pathlib import Path

import pytest

from bench.store import (
    MARKER,
    STORE_VARIABLE,
    Store,
    digest,
    file_digest,
    open_checkpoint,
    read_json,
    replacing,
    write_json,
)
from bench.types import CamobenchError


def listing(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


def test_digest_is_the_hash_of_canonical_json():
    expected = hashlib.sha256(b'{"a":[1,2.5,null],"b":"x"}').hexdigest()
    assert digest({"b": "x", "a": (1, 2.5, None)}) == expected
    assert digest({"a": [1, 2.5, None], "b": "x"}) == expected


def test_a_store_that_lost_its_marker_is_still_one(tmp_path):
    store = Store(tmp_path / "store")
    for name in ("data", "challenges", "locks"):
        (store.root / name).mkdir()
    (store.root / MARKER).write_text("{")
    with pytest.raises(CamobenchError, match=r"damaged .*; remove it, it is made again"):
        Store(store.root)
    (store.root / MARKER).unlink()
    Store(store.root)
    assert (store.root / MARKER).is_file()
    (store.root / MARKER).unlink()
    (store.root / "letters").mkdir()
    with pytest.raises(CamobenchError, match="not a camobench store"):
        Store(store.root)


@pytest.mark.parametrize("error", [RuntimeError("no"), KeyboardInterrupt(), OSError(errno.EIO, "")])
@pytest.mark.parametrize("kind", ["file", "folder"])
def test_a_failure_leaves_the_old_and_nothing_else(tmp_path, error, kind):
    path = tmp_path / "thing"
    if kind == "folder":
        path.mkdir()
        (path / "old").touch()
    else:
        path.write_text("old")
    before = listing(tmp_path)
    with pytest.raises(type(error)), replacing(path) as target:  # noqa: PT012
        if kind == "folder":
            target.mkdir()
            (target / "new").touch()
        else:
            target.write_text("new")
        raise error
    assert listing(tmp_path) == before
    assert path.is_dir() or path.read_text() == "old"


def test_a_full_disk_is_named_with_the_remedy(tmp_path):
    def fill():
        with replacing(tmp_path / "sub" / "thing") as target:
            target.write_text("half")
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with pytest.raises(CamobenchError, match=r"no space left on the disk of .*sub: free some"):
        fill()
    assert listing(tmp_path) == ["sub"]


def test_json_that_holds_nan_is_never_written(tmp_path):
    with pytest.raises(ValueError, match="Out of range float values"):
        write_json(tmp_path / "a.json", {"loss": float("nan")})
    assert listing(tmp_path) == []


@pytest.mark.parametrize("content", [b"", b'{"a": 1', b"\xff\xfe{}"])
def test_damaged_json_names_the_file(tmp_path, content):
    path = tmp_path / "card.json"
    path.write_bytes(content)
    with pytest.raises(CamobenchError, match=r"card\.json is damaged .*remove it"):
        read_json(path)


def test_a_flipped_byte_of_a_checkpoint_is_found(tmp_path):
    weights = tmp_path / "net" / "weights.safetensors"
    weights.parent.mkdir()
    weights.write_bytes(bytes(range(256)))
    write_json(weights.with_name("card.json"), {"weights_sha256": file_digest(weights)})
    checkpoint = open_checkpoint(weights.parent)
    checkpoint.verify()
    weights.write_bytes(bytes([*range(255), 254]))
    with pytest.raises(CamobenchError, match=r"net does not match its card: .*train it anew"):
        checkpoint.verify()


def test_a_store_is_made_and_opened_again_and_nothing_else_is(tmp_path):
    root = tmp_path / "deep" / "store"
    assert Store(root).root == Store(root).root == root
    assert json.loads((root / MARKER).read_text()) == {"format": 1}
    for found in (2, None, "1"):
        (root / MARKER).write_text(json.dumps({"format": found}))
        with pytest.raises(CamobenchError, match=f"has format {found}, this version reads 1: cho"):
            Store(root)
    with pytest.raises(CamobenchError, match="is not empty and not a camobench store; choose anot"):
        Store(root.parent)
    assert listing(root.parent) == ["store", f"store/{MARKER}"]


def test_the_default_root_is_the_variable_or_the_users_data_folder(tmp_path, monkeypatch):
    monkeypatch.setenv(STORE_VARIABLE, str(tmp_path))
    assert Store.default_root() == tmp_path
    monkeypatch.setenv(STORE_VARIABLE, "")
    assert Store.default_root() != Path()
    monkeypatch.delenv(STORE_VARIABLE)
    assert Store.default_root().parts[-2:] == ("camobench", "store")
