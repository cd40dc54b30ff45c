import re
import shutil
import zlib
from collections import Counter, defaultdict
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from bench.data import ImageError
from bench.store import Store
from bench.suites import photographs
from bench.suites.base import open_suite, prepare
from bench.suites.folder import FolderSource
from bench.suites.tiling import most_tiles, tile_corners
from bench.types import CamobenchError

SAMPLE = Path(__file__).parents[2].parent / "shared" / "data" / "dresden-sample" / "natural"


def write_photo(path, size=(208, 144), mode="RGB", **options):
    """Write noise that follows from the file's name."""
    path.parent.mkdir(parents=True, exist_ok=True)
    seed = zlib.crc32("/".join(path.parts[-3:]).encode())
    pixels = np.random.default_rng(seed).integers(0, 256, (*size[::-1], 3), np.uint8)
    Image.fromarray(pixels).convert(mode).save(path, **options)
    return path


def write_tree(root, models, **options):
    """Write `models`, photographs by device by model, as MODEL/DEVICE/IMAGE.JPG."""
    for model, devices in models.items():
        for device, count in enumerate(devices):
            for shot in range(count):
                name = f"LG_{model}_{device}_{shot}.JPG"  # agrees with its folder
                write_photo(root / model / f"dev{device}" / name, **options)
    return root


def write_dresden(root, models):
    for model, devices in models.items():
        for device, count in enumerate(devices):
            for shot in range(count):
                write_photo(root / f"{model}_{device}_{device * 100 + shot + 97}.JPG")
    return root


def source(root, **options):
    return FolderSource(root, **({"image_px": 64} | options))


def rows_of(folder, workers=1):
    return [row for name in "ABC" for row, _ in folder.rows(name, workers)]


def by_set(rows, column, model=None):
    found = defaultdict(set)
    for row in rows:
        if model in (None, row.model):
            found[row.set].add(getattr(row, column))
    return found


@pytest.fixture
def five(tmp_path):
    """Models with 5, 4, 3 and 2 devices."""
    models = {"five": [2] * 5, "four": [2] * 4, "three": [3, 3, 3], "two": [2, 1]}
    return write_tree(tmp_path / "My Photos", models)


@pytest.fixture
def pair(tmp_path):
    """Two models of two devices, a third with too few photographs."""
    return write_dresden(
        tmp_path / "flat", {"Acme_One": [3, 3], "Acme_Two_s": [4, 6], "Acme_Three": [1]}
    )


def test_a_split_by_device_shares_no_device(five):
    folder = source(five)
    card, rows = folder.card, rows_of(folder)
    assert card.name == "folder-my-photos"
    assert card.classes == ("five", "four", "three")
    assert card.others == ("two",)
    counts = {"five": [2, 2, 1], "four": [2, 1, 1], "three": [1, 1, 1], "two": [0, 0, 2]}
    for model, expected in counts.items():
        devices = by_set(rows, "device", model)
        assert [len(devices[name]) for name in "ABC"] == expected
        assert sum(expected) == len(set.union(*devices.values()))
    assert "split by device (devices in Set-A/B/C: five 2/2/1, four 2/1/1, three 1/1/1)" in (
        card.note
    )
    assert "out of distribution: two (2 devices, photographs: 2 + 1)" in card.note
    assert "WARNING" not in card.note


def test_out_of_distribution_models_are_in_set_c_only(five):
    for row in rows_of(source(five)):
        assert row.split == ("out" if row.model == "two" else "in")
        assert row.set == "C" or row.split == "in"
        assert (row.partition == "evaluation") == (row.set == "C")


def test_the_seed_chooses_the_devices(five):
    chosen = {
        frozenset(by_set(rows_of(source(five, seed=seed)), "device", "five")["C"])
        for seed in range(8)
    }
    assert len(chosen) > 2


def test_without_enough_devices_the_split_is_by_image_and_says_so(pair):
    folder = source(pair)
    card, rows = folder.card, rows_of(folder)
    assert card.classes == ("Acme_One", "Acme_Two_s")
    assert card.others == ("Acme_Three",)
    photos = by_set(rows, "photo_id")
    assert sum(map(len, photos.values())) == len(set.union(*photos.values())) == 17
    assert {name: len(ids) for name, ids in by_set(rows, "photo_id", "Acme_Two_s").items()} == {
        "A": 4,
        "B": 4,
        "C": 2,
    }
    devices = by_set(rows, "device")
    shared = {d for x, y in ("AB", "AC", "BC") for d in devices[x] & devices[y]}
    for name in card.classes:
        count = sum(device.startswith(f"{name}/") for device in shared)
        assert f"{name} {count} of 2 devices" in card.note
    assert card.note.startswith(
        "WARNING, split by image, not by device: the numbers are optimistic"
    )
    assert "Acme_Three (1 device, photographs: 1)" in card.note


def test_neighbouring_shots_stay_together_in_a_split_by_image(pair):
    order = []
    for row in rows_of(source(pair)):
        if row.model == "Acme_Two_s" and row.photo_id not in order:
            order.append(row.photo_id)
    shots = defaultdict(list)
    for photo_id in order:
        device, shot = photo_id.removesuffix(".JPG").split("_")[-2:]
        shots[device].append(int(shot))
    assert all(run == sorted(run) for run in shots.values())
    assert shots["0"] == [97, 98, 99, 100]


@pytest.mark.parametrize("layout", ["five", "pair"])
def test_every_class_can_be_trained_and_validated(layout, request):
    folder = source(request.getfixturevalue(layout))
    photos = defaultdict(set)
    for row in rows_of(folder):
        photos[row.set, row.model, row.partition].add(row.photo_id)
    for name in ("A", "B"):
        for model in folder.card.classes:
            train, held_out = photos[name, model, "train"], photos[name, model, "validation"]
            assert train
            assert held_out
            assert not train & held_out


def test_one_photograph_in_ten_is_for_validation(tmp_path):
    folder = source(write_tree(tmp_path, {"ace": [20, 20, 1], "bee": [20, 20, 1]}))
    rows = [row for row in rows_of(folder) if row.set == "A" and row.model == "ace"]
    assert len({row.photo_id for row in rows if row.partition == "validation"}) == 2


def test_devices_with_one_photograph_are_not_the_whole_of_a_training_set(tmp_path):
    write_tree(tmp_path, {"ace": [1, 4, 3], "bee": [2, 1, 2]})
    for seed in range(5):
        card = source(tmp_path, seed=seed).card
        assert card.note.startswith("split by device (devices in Set-A/B/C: ace 1/1/1, bee 1/1/1)")


def test_tiles_keep_the_grid_and_do_not_overlap(tmp_path):
    write_tree(tmp_path, {"ace": [5], "bee": [5]})
    for path in list(tmp_path.rglob("*.JPG")):
        write_photo(path.with_suffix(".png"), size=(290, 221))
        path.unlink()
    folder = source(tmp_path, tiles_per_photo=5, tiles_per_photo_c=3)
    corners = defaultdict(list)
    for name in "ABC":
        for row, pixels in folder.rows(name, 2):
            whole = np.asarray(Image.open(tmp_path / row.photo_id)).transpose(2, 0, 1)
            left, top = map(int, re.search(r"-x(\d+)-y(\d+)$", row.image_id).groups())
            assert left % 16 == top % 16 == 0
            np.testing.assert_array_equal(pixels, whole[:, top : top + 64, left : left + 64])
            corners[name, row.photo_id].append((top, left))
    for (name, _), places in corners.items():
        assert len(places) == (3 if name == "C" else 5)
        for i, one in enumerate(places):
            for other in places[:i]:
                assert max(abs(one[0] - other[0]), abs(one[1] - other[1])) >= 64


def test_tiles_share_photograph_set_and_partition(five):
    rows = rows_of(source(five, tiles_per_photo=4))
    assert len({row.image_id for row in rows}) == len(rows)
    shared = defaultdict(set)
    for row in rows:
        shared[row.photo_id].add((row.set, row.partition, row.device, row.sha256))
    assert all(len(values) == 1 for values in shared.values())
    assert max(Counter(row.photo_id for row in rows).values()) == 4


@pytest.mark.parametrize("count", [1, 2, 3, 4, 5, 7, 12, 40, 77, 500])
@pytest.mark.parametrize("size", [(3008, 2000), (2000, 3008), (1792, 256), (256, 256), (771, 1025)])
def test_tile_corners_fit(size, count):
    width, height = size
    corners = tile_corners(width, height, 256, count)
    assert len(set(corners)) == len(corners) == min(count, most_tiles(width, height, 256))
    used = np.zeros((height, width), np.uint8)
    for top, left in corners:
        assert top % 16 == left % 16 == 0
        used[top : top + 256, left : left + 256] += 1
    assert used.max() == 1
    assert used.sum() == len(corners) * 256 * 256


def test_a_single_tile_is_central_and_four_are_spread():
    assert tile_corners(3008, 2000, 256, 1) == [(864, 1376)]
    assert tile_corners(3008, 2000, 256, 4) == [(368, 624), (368, 2128), (1360, 624), (1360, 2128)]


def test_tile_corners_checks_the_side():
    with pytest.raises(ValueError, match="multiple of 16, got 100"):
        tile_corners(300, 300, 100, 1)
    with pytest.raises(ValueError, match="no tile of 256 pixels in 300 x 255"):
        tile_corners(300, 255, 256, 1)


def test_small_collections_get_more_tiles(tmp_path):
    few = write_tree(tmp_path / "few", {"ace": [5], "bee": [6]}, size=(640, 640))
    many = write_tree(
        tmp_path / "many", {"ace": [30, 30, 30], "bee": [30, 30, 30]}, size=(192, 192)
    )
    assert "tiles a photograph: 64 in Set-A and B, 4 in Set-C" in source(few).card.note
    assert "tiles a photograph: 4 in Set-A and B, 1 in Set-C" in source(many).card.note


def test_exif_orientation_moves_no_pixel(tmp_path):
    exif = Image.Exif()
    exif[274] = 6
    plain = write_tree(tmp_path / "plain" / "x", {"ace": [5], "bee": [5]})
    tagged = write_tree(tmp_path / "tagged" / "x", {"ace": [5], "bee": [5]}, exif=exif)
    tiles = [[p for _, p in source(root).rows("A", 1)] for root in (plain, tagged)]
    np.testing.assert_array_equal(*tiles)


def test_rows_say_what_the_header_of_a_jpeg_says(tmp_path):
    root = tmp_path / "photos"
    write_tree(root, {"coarse": [3, 3, 3]}, quality=40, subsampling=2)
    write_tree(root, {"fine": [3, 3, 3]}, quality=93, subsampling=0)
    for path in sorted((root / "coarse").rglob("*.JPG"))[:4]:
        Image.open(path).save(path.with_suffix(".png"))
        path.unlink()
    for row in rows_of(source(root)):
        seen = (row.jpeg_tables is None, row.jpeg_quality, row.jpeg_subsampling)
        if row.photo_id.endswith("png"):
            assert seen == (True, None, None)
        else:
            coarse = row.model == "coarse"
            assert seen == ((False, 40, "4:2:0") if coarse else (False, 93, "4:4:4"))
    suite = prepare(source(root), Store(tmp_path / "store"), ("A", "B", "C"))
    frame = pd.concat([suite.manifest(name) for name in "ABC"])
    assert frame["jpeg_quality"].isna().sum() == frame["photo_id"].str.endswith("png").sum() > 0
    assert set(frame["jpeg_quality"].dropna()) == {40, 93}


def test_order_does_not_depend_on_workers(pair):
    def content(workers):
        return [(row, p.tobytes()) for row, p in source(pair).rows("A", workers)]

    assert content(1) == content(3)


def test_a_photograph_is_decoded_once_for_all_its_tiles(pair, monkeypatch):
    decoded = []
    decode = photographs.decode_rgb
    monkeypatch.setattr(
        photographs, "decode_rgb", lambda data, name: decoded.append(name) or decode(data, name)
    )
    folder = source(pair, tiles_per_photo=6)
    assert len(list(folder.rows("A", 1))) == len(decoded) * 6


def test_few_photographs_are_in_flight(pair, monkeypatch):
    decoded = []
    cut = photographs.PhotographSource._cut
    monkeypatch.setattr(
        photographs.PhotographSource,
        "_cut",
        lambda self, place: decoded.append(place) or cut(self, place),
    )
    rows = source(pair).rows("A", 1)
    next(rows)
    rows.close()
    assert len(decoded) <= 2


def test_the_fingerprint_follows_content_and_options_not_the_place(pair, tmp_path):
    def fingerprint(root=pair, **options):
        return source(root, **options).card.fingerprint

    first = fingerprint()
    assert fingerprint() == first
    moved = tmp_path / "elsewhere" / "flat"
    shutil.copytree(pair, moved)
    assert fingerprint(moved) == first
    options = [
        {"seed": 1},
        {"image_px": 96},
        {"tiles_per_photo": 2},
        {"tiles_per_photo_c": 2},
        {"photos_c": 1},
        {"validation_fraction": 0.3},
        {"skip_bad": True},
        {"classes": ["Acme_Two_s", "Acme_One"]},
    ]
    assert len({first, *(fingerprint(**changed) for changed in options)}) == 9
    path = sorted(moved.iterdir())[0]
    data = bytearray(path.read_bytes())
    data[-10] ^= 1
    path.write_bytes(bytes(data))
    assert fingerprint(moved) != first
    path.write_bytes(bytes(data[:-10]) + bytes(1))
    path.rename(path.with_name("Acme_One_0_1.JPG"))
    assert fingerprint(moved, skip_bad=True) != fingerprint(skip_bad=True)


def test_classes_can_be_chosen_and_keep_their_order(five):
    card = source(five, classes=["three", "five"]).card
    assert card.classes == ("three", "five")
    assert card.others == ("four", "two")


def test_a_chosen_class_with_few_devices_makes_the_split_by_image(tmp_path):
    root = write_tree(tmp_path, {"ace": [2, 2, 2], "bee": [2, 2, 2], "one": [6]})
    assert source(root).card.others == ("one",)
    card = source(root, classes=["ace", "one"]).card
    assert card.others == ("bee",)
    assert "split by image, not by device" in card.note
    assert "one 1 of 1 device)" in card.note


def test_chosen_classes_are_checked(five):
    with pytest.raises(CamobenchError, match=r"no camera model 'fife' in the folder; has five"):
        source(five, classes=["fife", "four"]).card  # noqa: B018
    with pytest.raises(CamobenchError, match=r"two has too few photographs .*2 \+ 1\).*needs 5"):
        source(five, classes=["two", "four"]).card  # noqa: B018
    with pytest.raises(CamobenchError, match="two or more `classes`, each once, got four, four"):
        source(five, classes=["four", "four"]).card  # noqa: B018


def test_one_usable_model_is_not_enough(tmp_path):
    root = write_tree(tmp_path, {"lots": [3, 3, 3], "one": [4]})
    with pytest.raises(
        CamobenchError,
        match=r"fewer than two .* found lots \(3 devices, photographs: 3 \+ 3 \+ 3\), one \(1 "
        r"device, photographs: 4\)\. A class needs 5 photographs, .* add photographs or models",
    ):
        source(root).card  # noqa: B018


def test_set_c_is_capped_alike_for_all_devices(tmp_path):
    root = write_tree(tmp_path, {"ace": [3] * 10, "bee": [3] * 10, "rest": [6, 1]})
    rows = rows_of(source(root, photos_c=4))
    for model in ("ace", "bee", "rest"):
        photos = {
            (row.device, row.photo_id) for row in rows if (row.set, row.model) == ("C", model)
        }
        assert len(photos) == 4
        spread = sorted(Counter(device for device, _ in photos).values())
        assert spread == ([1, 3] if model == "rest" else [2, 2])


def test_an_empty_class_is_named(five):
    (five / "hollow" / "dev0").mkdir(parents=True)
    (five / "hollow" / "dev0" / "notes.txt").write_text("nothing")
    with pytest.raises(CamobenchError, match=r"no usable photograph in .*hollow: add photographs"):
        source(five).card  # noqa: B018


def test_a_class_emptied_by_skipping_is_named(five):
    write_photo(five / "Nikon" / "dev0" / "a.png", mode="L")
    with pytest.raises(CamobenchError, match=r"no usable photograph in .*Nikon: add photographs"):
        source(five, skip_bad=True).card  # noqa: B018


def test_no_folder_and_no_image(tmp_path):
    with pytest.raises(CamobenchError, match=r"no folder .*nowhere; check the path"):
        source(tmp_path / "nowhere").card  # noqa: B018
    (tmp_path / ".hidden.jpg").write_bytes(b"")
    with pytest.raises(CamobenchError, match=r"no image .* in .*; check the path"):
        source(tmp_path).card  # noqa: B018


def test_unusable_files_are_reported_together(five, tmp_path):
    folder = five / "five" / "dev0"
    whole = (folder / "LG_five_0_0.JPG").read_bytes()
    (folder / "a.jpg").write_bytes(whole[: len(whole) // 2])
    write_photo(folder / "b.JPEG", mode="L")
    write_photo(folder / "c.png", mode="RGBA")
    (folder / "d.tif").write_bytes(b"not a picture")
    write_photo(folder / "e.png", size=(300, 63))
    write_photo(five / "four" / "stray.jpg")
    store = Store(tmp_path / "store")
    with pytest.raises(ImageError) as error:
        prepare(source(five), store, ("A",))
    lines = str(error.value).splitlines()
    assert lines[0].startswith("6 of 36 image files in ")
    assert re.match(r"  five/dev0/a\.jpg: cannot be decoded \(it has no end", lines[1])
    assert lines[2].startswith("  five/dev0/b.JPEG: image mode is L, expected 8-bit RGB")
    assert lines[3].startswith("  five/dev0/c.png: image mode is RGBA, expected 8-bit RGB")
    assert lines[4].startswith("  five/dev0/d.tif: not an image")
    assert lines[5] == (
        "  five/dev0/e.png: 300 x 63 pixels is smaller than the crop of 64 x 64; "
        "choose a smaller --image-px (`image_px`)"
    )
    assert lines[6:] == [
        "  and 1 more",
        "mend or remove them, or leave them out with --skip-bad (`skip_bad=True`)",
    ]
    assert not (store.root / "data").exists()
    card = source(five, skip_bad=True).card
    assert card.note.endswith("; 6 unusable files left out")


def test_a_name_that_tells_no_camera_is_reported(pair):
    write_photo(pair / "IMG_0001.JPG")
    with pytest.raises(ImageError, match=r"IMG_0001\.JPG: does not read as Make_Model_Device_Shot"):
        source(pair).card  # noqa: B018


def test_a_thumbnail_does_not_make_a_truncated_photograph_whole(pair):
    path = sorted(pair.iterdir())[0]
    thumbnail = path.read_bytes()
    app = b"\xff\xed" + (len(thumbnail) + 2).to_bytes(2, "big") + thumbnail
    assert len(app) < 65535
    whole = thumbnail[:2] + app + thumbnail[2:]
    path.write_bytes(whole)
    assert source(pair).card
    path.write_bytes(whole[: len(app) + len(thumbnail) * 3 // 4])
    with pytest.raises(ImageError, match=rf"{path.name}: cannot be decoded"):
        source(pair).card  # noqa: B018


def test_copies_of_a_photograph_are_used_once(five):
    original = five / "five" / "dev0" / "LG_five_0_0.JPG"
    shutil.copy(original, five / "five" / "dev4" / "zcopy.jpg")
    shutil.copy(original, five / "five" / "dev0" / "zcopy.jpg")
    folder = source(five)
    rows = rows_of(folder)
    assert "; 2 exact copies of other files left out" in folder.card.note
    assert not [row for row in rows if "zcopy" in row.photo_id]
    assert len({row.sha256 for row in rows}) == len({row.photo_id for row in rows})


def test_one_photograph_under_two_models_is_refused(five):
    shutil.copy(five / "five" / "dev0" / "LG_five_0_0.JPG", five / "four" / "dev0" / "a.JPG")
    with pytest.raises(
        ImageError,
        match=r"five/dev0/LG_five_0_0\.JPG: the same bytes as four/dev0/a\.JPG, of another",
    ):
        source(five).card  # noqa: B018
    folder = source(five, skip_bad=True)
    assert {"LG_five_0_0.JPG", "a.JPG"}.isdisjoint(Path(r.photo_id).name for r in rows_of(folder))


def test_a_file_that_changes_after_the_scan_is_named(pair):
    folder = source(pair)
    rows = list(folder.rows("A", 1))
    path = pair / rows[0][0].photo_id
    path.write_bytes(path.read_bytes() + b"\0")
    with pytest.raises(ImageError, match=rf"{path.name} has changed since the folder was scanned"):
        list(folder.rows("A", 1))
    path.unlink()
    with pytest.raises(ImageError, match=rf"{path.name}: cannot be read"):
        list(folder.rows("A", 1))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"image_px": 48}, "`image_px` a multiple of 16 from 64, got 48"),
        ({"image_px": 100}, "`image_px` a multiple of 16 from 64, got 100"),
        ({"tiles_per_photo": 0}, "`tiles_per_photo` of at least 1, got 0"),
        ({"tiles_per_photo_c": 0}, "`tiles_per_photo_c` of at least 1, got 0"),
        ({"photos_c": 0}, "`photos_c` of at least 1, got 0"),
        ({"validation_fraction": 1.0}, r"`validation_fraction` in \(0, 0.5\], got 1.0"),
    ],
)
def test_options_are_checked(tmp_path, options, message):
    with pytest.raises(ValueError, match=message):
        FolderSource(tmp_path, **options)


def test_linked_folders_are_followed_once(five, tmp_path):
    linked = tmp_path / "linked" / "My Photos"
    linked.mkdir(parents=True)
    for model in five.iterdir():
        (linked / model.name).symlink_to(model, target_is_directory=True)
    (five / "five" / "loop").symlink_to(five, target_is_directory=True)
    assert source(linked, skip_bad=True).card.classes == ("five", "four", "three")
    assert source(five).count("C") == source(linked, skip_bad=True).count("C")


@pytest.mark.parametrize("layout", ["five", "pair"])
def test_prepare_puts_the_folder_into_the_store(layout, request, tmp_path):
    folder = source(request.getfixturevalue(layout))
    suite = prepare(folder, Store(tmp_path / "store"), ("A", "B", "C"), workers=2)
    assert open_suite(suite.folder).card == folder.card
    for name in "ABC":
        assert len(suite.manifest(name)) == len(suite.images(name)) == folder.count(name)
    assert suite.examiner_set().classes == suite.adversary_set().classes == folder.card.classes
    index, (row, pixels) = list(enumerate(folder.rows("C", 1)))[-1]
    assert suite.manifest("C").iloc[index]["image_id"] == row.image_id
    np.testing.assert_array_equal(suite.images("C")[index], pixels)


def test_a_failure_midway_leaves_no_set(pair, tmp_path):
    folder, store = source(pair), Store(tmp_path / "store")
    last = pair / list(folder.rows("B", 1))[-1][0].photo_id
    data = last.read_bytes()
    last.unlink()
    with pytest.raises(ImageError, match=last.name):
        prepare(folder, store, ("A", "B"))
    suite = open_suite(store.data_folder(folder.card.name, folder.card.fingerprint))
    assert suite.has("A")
    assert not suite.has("B")
    assert not list(suite.folder.glob(".*"))
    last.write_bytes(data)
    assert prepare(source(pair), store, ("A", "B")).has("B")


@pytest.mark.skipif(not SAMPLE.is_dir(), reason="the Dresden sample is not beside the repository")
def test_the_dresden_sample(tmp_path):
    folder = FolderSource(SAMPLE)
    card = folder.card
    assert card.classes == ("Nikon_D70", "Nikon_D70s")
    assert card.others == ("Nikon_D200",)
    assert "split by image, not by device" in card.note
    suite = prepare(folder, Store(tmp_path), ("A", "B", "C"), workers=2)
    assert suite.images("A").shape == suite.images("B").shape == (320, 3, 256, 256)
    assert suite.images("C").shape == (20, 3, 256, 256)
    photos = [set(suite.manifest(name)["photo_id"]) for name in "ABC"]
    assert sum(map(len, photos)) == len(set.union(*photos)) == 15
    suite.examiner_set()
    suite.adversary_set()


def test_a_folder_continues_in_the_middle_of_a_photograph(five):
    folder = source(five, tiles_per_photo=3)
    whole = list(folder.rows("A", 1))
    assert len(whole) > 6
    for start in (0, 1, 3, 4, len(whole)):
        rest = list(folder.rows("A", 2, start))
        assert [row.image_id for row, _ in rest] == [row.image_id for row, _ in whole[start:]]


def test_folders_that_are_sets_need_the_user_s_word(tmp_path):
    root = write_tree(tmp_path / "mine", {"train": [3, 3, 3], "test": [3, 3, 3]})
    with pytest.raises(CamobenchError, match=r"no camera models.*: test, train .*--layout tree"):
        source(root).card  # noqa: B018
    assert source(root, layout="tree").card.classes == ("test", "train")


def test_one_model_spelled_in_several_ways_is_one(tmp_path):
    names = ("Canon é_70", "canon e\u0301 70", "CANON-É-70")
    root = write_tree(tmp_path / "mine", {names[0]: [3], "Other One": [3, 3, 3]})
    for device, name in enumerate(names[1:], 1):
        for shot in range(2):
            write_photo(root / name / f"dev{device}" / f"{device}{shot}.JPG")
    card = source(root).card
    assert card.classes == ("Canon é_70", "Other One")
    assert "one camera model spelled in 3 ways: CANON-É-70, " in card.note
    assert card.note.startswith("split by device")


def test_one_shot_saved_twice_is_refused(five):
    shot = five / "five" / "dev0" / "LG_five_0_0.JPG"
    for again in ("LG_five_0_0.png", "LG_five_0_0 (1).jpg", "LG_five_0_0_edited.jpg"):
        write_photo(shot.with_name(again))
    with pytest.raises(
        ImageError, match=r"(?s)3 of .*LG_five_0_0\.png: by its name the same shot as"
    ):
        source(five).card  # noqa: B018
    kept = [row.photo_id for row in rows_of(source(five, skip_bad=True))]
    assert not [name for name in kept if "(1)" in name or "edited" in name or "png" in name]


def exif(make, model):
    tags = Image.Exif()
    tags[271], tags[272] = make, model
    return tags


def test_exif_that_contradicts_the_folders_is_said(tmp_path):
    canon, nikon = exif("Canon", "Canon EOS 5D"), exif("NIKON CORPORATION", "NIKON D70")
    root = write_tree(tmp_path, {"Canon_EOS_5D": [3, 3]}, exif=canon)
    write_tree(root, {"Nikon_D70": [3, 3]}, exif=nikon)
    assert "WARNING, EXIF" not in source(root).card.note
    write_photo(root / "Nikon_D70" / "dev0" / "stray.JPG", exif=canon)
    note = source(root).card.note
    assert "Nikon_D70 holds photographs of Canon EOS 5D, NIKON D70" in note
    assert "photographs of Canon EOS 5D are in Canon_EOS_5D, Nikon_D70" in note


def test_swapped_folders_are_said(tmp_path):
    root = write_tree(tmp_path, {"Canon_5D": [5]}, exif=exif("Canon", "EOS 600D"))
    write_tree(root, {"Canon_600D": [5]}, exif=exif("Canon", "EOS 5D"))
    note = source(root).card.note
    assert "the photographs of Canon_5D are of Canon EOS 600D" in note


def test_file_names_that_contradict_the_folders_are_said(tmp_path):
    root = tmp_path / "mine"
    for model in ("One", "Two"):
        for shot in range(5):
            write_photo(root / model / "dev0" / f"Nikon_D70_0_{shot}{len(model + model)}.JPG")
    note = source(root, layout="tree").card.note
    assert "photographs of Nikon_D70 are in One, Two" in note


def test_classes_may_hold_commas(tmp_path):
    odd = {"Canon, Inc. EOS 5D": [5], "C920Z,D450Z": [5], "C920Z": [5], 'A "5%" {é} & #1': [5]}
    root = write_tree(tmp_path, odd)
    chosen = 'C920Z,D450Z, Canon, Inc. EOS 5D,A "5%" {é} & #1'
    card = source(root, classes=chosen).card
    assert card.classes == ("C920Z,D450Z", "Canon, Inc. EOS 5D", 'A "5%" {é} & #1')
    assert card.fingerprint == source(root, classes=list(card.classes)).card.fingerprint
    with pytest.raises(CamobenchError, match="no camera model 'Canon' in the folder"):
        source(root, classes="Canon,C920Z").card  # noqa: B018
