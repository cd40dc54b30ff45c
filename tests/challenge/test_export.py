"""What goes out: pixels to the last bit, and nothing that tells where they come from."""

import json
import shutil
import threading
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch

from bench.challenge.export import FILE_TIME_S, export_challenge
from bench.checks import to_unit
from bench.jobs.networks import Networks
from bench.plan.request import open_session
from bench.store import Store
from bench.store.outputs import NOTE
from bench.suites.base import open_suite, prepare
from bench.types import CamobenchError
from tests.challenge.answers import pixels_of
from tests.plugins import write
from tests.smoke import ToySource, Watcher, request
from tests.toys import CLASSES

TOY = request(source=ToySource(), attacks=("median",), victims=())
BROKEN = """
from camobench import Attack, AttackSpec
class Broken(Attack):
    spec = AttackSpec(name="broken", targeted=False)
    def transform(self, images, targets):
        raise RuntimeError("no")
"""


def export(store, out, asked=TOY, **options):
    return export_challenge(asked, store, out, **{"for_victims": False, **options})


def training_set(out, suite):
    """Which set of the store is handed out for training, and with which labels."""
    rows = pd.read_csv(out / "training" / "manifest.csv")
    assert set(rows) == {"file", "sha256", "model", "partition"}
    first = pixels_of(out / "training" / rows["file"][0])
    (name,) = [name for name in "ABC" if np.array_equal(suite.images(name)[0], first)]
    return name, set(rows["model"])


def suite_of(store):
    return open_suite(next((store.root / "data").iterdir()))


def test_every_image_of_set_c_goes_out_to_the_last_bit_and_nothing_tells_its_source(
    store, tmp_path
):
    out = tmp_path / "out"
    challenge = export(store, out)
    suite, record = suite_of(store), json.loads((out / "challenge.json").read_text())
    told, rows = json.dumps(record) + (out / "README.md").read_text(), suite.manifest("C")
    for column in ("image_id", "photo_id", "device", "sha256"):
        assert not any(str(value) in told for value in rows[column])
    assert challenge.salt not in told
    assert "other-x" not in told  # a model out of distribution
    assert "training/manifest.csv" in told
    assert record["targets"] == list(CLASSES)
    ids = [image["id"] for image in record["images"]]
    assert ids == sorted(ids) == sorted(path.stem for path in (out / "images").iterdir())
    assert {tuple(image) for image in record["images"]} == {("height", "id", "width")}
    for name, image in zip(rows["image_id"], suite.images("C"), strict=True):
        path = out / "images" / f"{challenge.opaque(name)}.png"
        data, kinds, at = path.read_bytes(), [], 8
        np.testing.assert_array_equal(pixels_of(data), image)
        while at < len(data):
            kinds.append(data[at + 4 : at + 8])
            at += 12 + int.from_bytes(data[at : at + 4], "big")
        assert set(kinds) == {b"IHDR", b"IDAT", b"IEND"}
    assert {int(path.stat().st_mtime) for path in (out, *out.rglob("*"))} == {FILE_TIME_S}
    everything = prepare(ToySource(), store, ("A", "B", "C"))
    assert training_set(out, everything) == ("B", set(CLASSES))
    assert {path.name for path in out.iterdir()} == {
        *(NOTE, "challenge.json", "README.md", "images", "training")
    }


def test_a_killed_export_continues(store, tmp_path):
    out = tmp_path / "out"
    with pytest.raises(KeyboardInterrupt):
        export(store, out, progress=Watcher(stop=3, label="challenge"))
    assert len(list((out / ".unfinished").glob("*.png"))) == 3
    first = {path.name: path.stat().st_ino for path in (out / ".unfinished").glob("*.png")}
    export(store, out)
    assert len(first) == 3
    assert not (out / ".unfinished").exists()
    one = next((out / "images").iterdir())
    kept = {path.name: path.stat().st_ino for path in (out / "images").iterdir() if path != one}
    one.unlink()
    export(store, out)
    now = {path.name: path.stat().st_ino for path in (out / "images").iterdir()}
    assert len(now) == 8
    assert kept.items() <= now.items()


def test_two_exports_at_a_time_mix_no_pictures(store, tmp_path):
    out = tmp_path / "out"
    other = threading.Thread(target=export, args=(store, out))

    class Meanwhile(Watcher):
        def advance(self, units=1, **figures):
            if (out / ".unfinished").exists() and not other.ident:
                other.start()
                other.join(timeout=1)

    challenge = export(store, out, progress=Meanwhile())
    other.join()
    suite = suite_of(store)
    for name, image in zip(suite.manifest("C")["image_id"], suite.images("C"), strict=True):
        path = out / "images" / f"{challenge.opaque(name)}.png"
        np.testing.assert_array_equal(pixels_of(path), image)


def test_another_folder_is_never_written_into(store, tmp_path):
    export(store, tmp_path / "out")
    strange = tmp_path / "photos"
    strange.mkdir()
    (strange / "holiday.jpg").touch()
    with pytest.raises(CamobenchError, match=r"photos holds holiday.jpg, .*choose another --out"):
        export(store, strange)
    assert [path.name for path in strange.iterdir()] == ["holiday.jpg"]
    with pytest.raises(CamobenchError, match="is no folder; choose another --out"):
        export(store, strange / "holiday.jpg")
    for other in (store, Store(tmp_path / "elsewhere")):
        source = ToySource("0" * 64) if other is store else ToySource()
        with pytest.raises(CamobenchError, match="out holds what another command made"):
            export(other, tmp_path / "out", replace(TOY, source=source))


def test_victims_get_what_the_attacks_leave_in_the_order_of_ids(smoke_copy, tmp_path, monkeypatch):
    store, out, created, copy = smoke_copy.store, tmp_path / "out", [], shutil.copyfile
    asked = request(attacks=("cgan-img",), victims=())

    def watched(source, target):
        created.append(source.name)
        copy(source, target)

    monkeypatch.setattr(shutil, "copyfile", watched)
    challenge = export(store, out, asked, for_victims=True)
    assert created == sorted(path.name for path in (out / "images").iterdir())
    record = json.loads((out / "challenge.json").read_text())
    assert (record["for"], len(record["images"])) == ("victims", 8 + 8 * 3)
    assert "cgan" not in json.dumps(record) + (out / "README.md").read_text()
    assert set(challenge.content) == {"cgan-img", "identity"}
    session = open_session(asked, store)
    attack = Networks(session.graph, session.shelf, torch.device("cpu")).attack("cgan-img")
    suite = session.prepare(("C",))
    original = torch.from_numpy(np.array(suite.images("C")[5:6]))
    for place, target in [(None, None), *enumerate(suite.card.classes)]:
        name, by = suite.manifest("C")["image_id"][5], "identity" if target is None else "cgan-img"
        opaque = challenge.opaque(name, by, target)
        expected = original
        if target is not None:
            with torch.no_grad():
                expected = attack(original, torch.tensor([place]))
        found = torch.from_numpy(pixels_of(out / "images" / f"{opaque}.png").copy())
        assert (
            to_unit(found) - to_unit(expected[0])
        ).abs().max() < 1.5 / 255  # batch of another size
    assert training_set(out, suite_of(store)) == ("A", set(suite.card.classes))
    watcher = Watcher()
    assert export(store, out, asked, for_victims=True, progress=watcher) == challenge
    assert not [one for one in watcher.started if one.startswith(("scoring", "distortion"))]


@pytest.mark.usefixtures("own_registries")
def test_an_attack_that_fails_exports_nothing(store, tmp_path):
    from bench.plan.names.selection import select_attacks

    select_attacks(f"{write(tmp_path / 'mine.py', BROKEN)}:Broken")
    with pytest.raises(CamobenchError, match=r"nothing was exported: attack broken \(.*no"):
        export(store, tmp_path / "out", replace(TOY, attacks=("broken",)), for_victims=True)
    assert not (tmp_path / "out").exists()
