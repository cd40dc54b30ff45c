"""A small synthetic run: 3 cameras, 5 victims, 6 attacks, both splits, with pictures."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image

CLASSES = ("cam-a", "cam-b", "cam-c")
OUTSIDERS = ("other-x", "other-y")
VICTIMS = (
    ("wdf-resnet18", "wdf", "resnet18"),
    ("wdf-densenet40", "wdf", "densenet40"),
    ("pef-resnet18", "pef", "resnet18"),
    ("img-resnet18", "img", "resnet18"),
    ("img-densenet40", "img", "densenet40"),
)
# name: (laac, scfa, targeted, control, chance of success, PSNR)
ATTACKS = {
    "cgan-img-wdf-pef": (("img", "wdf", "pef"), False, True, False, 0.9, 31.0),
    "mislgan": (("pef",), True, True, False, 0.7, 29.0),
    "cgan-img": (("img",), False, True, False, 0.6, 33.0),
    "prnu_removal&[co]": ((), False, False, False, 0.5, 36.0),
    "identity": ((), False, False, True, 0.02, np.inf),
    "jpeg-q85": ((), False, False, True, 0.2, 38.0),
}
PHOTOS_PER_CAMERA = 4
TILES_PER_PHOTO = 2


def _images():
    for split, sources in (("in", CLASSES), ("out", OUTSIDERS)):
        for source in sources:
            for photo in range(PHOTOS_PER_CAMERA):
                for tile in range(TILES_PER_PHOTO):
                    photo_id = f"{source}-p{photo}"
                    yield split, f"{photo_id}-t{tile}", photo_id, f"{source}-0", source


def make_frames(seed=0):
    """Predictions and distortion of a run in which every cell is there."""
    random = np.random.default_rng(seed)
    predictions, distortion = [], []
    for attack, (_, _, targeted, _, chance, psnr) in ATTACKS.items():
        for split, image_id, photo_id, device, source in _images():
            head = {
                "suite": "toy-v1",
                "split": split,
                "image_id": image_id,
                "photo_id": photo_id,
                "scene": f"before {photo_id}",
                "device": device,
                "source": source,
            }
            for target in [t for t in CLASSES if t != source] if targeted else [None]:
                row = head | {"target": target, "attack": attack, "attack_key": f"k-{attack}"}
                ssim, lpips = (1.0, 0.0) if np.isinf(psnr) else (0.95, 0.04)
                distortion.append(row | {"lpips": lpips, "psnr_db": psnr, "ssim": ssim})
                for victim, _, _ in VICTIMS:
                    success = random.random() < chance
                    home = source if split == "in" else "cam-a"
                    wrong = CLASSES[(CLASSES.index(home) + 1) % 3]
                    predicted = (target or wrong) if success else home
                    likely = dict.fromkeys((*CLASSES, *OUTSIDERS), 0.1) | {predicted: 0.8}
                    predictions.append(
                        row
                        | {
                            "victim": victim,
                            "victim_key": f"k-{victim}",
                            "predicted": predicted,
                            "p_source": likely[source] if split == "in" else None,
                            "p_target": likely[target] if targeted else None,
                            "p_predicted": likely[predicted],
                        }
                    )
    return pd.DataFrame(predictions), pd.DataFrame(distortion)


def missed(rows, lost):
    """Predictions, of which those that are `lost` name the source, not the target."""
    rows = rows.copy()
    rows.loc[lost, "predicted"] = rows["source"]
    rows.loc[lost, ["p_source", "p_predicted"]] = 0.5
    rows.loc[lost & rows["target"].notna(), "p_target"] = 0.1
    return rows


def under(rows, strength=1.0, quality=None):
    """The same rows under a condition."""
    return rows.assign(strength=strength, quality_percent=pd.array([quality] * len(rows), "Int64"))


def over_families(hits, victims):
    """Mean over families of means over architectures, in per cent, of a series of 0 and 1."""
    families = {name: family for name, family, _ in VICTIMS}
    return 100 * hits.groupby(victims).mean().groupby(families).mean().mean()


def make_entry(attack):
    laac, scfa, targeted, control, _, _ = ATTACKS[attack]
    return {
        "schema": 1,
        "attack": {
            "name": attack,
            "key": f"k-{attack}",
            "digest": f"d-{attack}",
            "label": ", ".join(laac) or attack,
            "targeted": targeted,
            "control": control,
            "laac": list(laac),
            "scfa": scfa,
            "paper_row": bool(laac),
            "paper": "A & B 2020",
            "licence": "MIT",
        },
        "victims": [
            {
                "name": n,
                "key": f"k-{n}",
                "digest": f"d-{n}",
                "family": f,
                "backbone": b,
                "classes": list(CLASSES),
            }
            for n, f, b in VICTIMS
        ],
        "suite": {
            "name": "toy-v1",
            "version": 1,
            "fingerprint": "f" * 64,
            "classes": list(CLASSES),
            "note": "split by device <here>",
            "audit": None,
        },
        "recipe": "mini",
        "seed": 0,
        "scorer_version": 2,
        "lpips": {"version": "0.1", "net": "alex", "trunk_sha256": "3" * 64},
        "provenance": {
            "commit": "0123456789abcdef",
            "dirty": True,
            "packages": {"numpy": "2.0"},
            "device": "cpu",
            "precision": "fp32",
            "batch_size": 32,
            "wall_time_s": 12.3,
            "created": "2026-01-01T00:00:00+00:00",
        },
    }


def write_samples(folder: Path) -> None:
    folder.mkdir()
    random = np.random.default_rng(1)
    records = []
    for split, source in [("in", c) for c in CLASSES] + [("out", OUTSIDERS[0])]:
        rows, columns = np.mgrid[0:48, 0:48]
        smooth = 90 + 60 * np.sin(rows / 9 + len(records)) + 40 * np.cos(columns / 7)
        original = np.repeat(np.clip(smooth, 5, 250)[..., None], 3, axis=2).astype(np.uint8)
        name = f"{source}.png"
        Image.fromarray(original).save(folder / name)
        anonymised = {}
        for target in [t for t in CLASSES if t != source]:
            noise = random.integers(-4, 5, original.shape)
            anonymised[target] = f"{source}-{target}.png"
            changed = (original.astype(int) + noise).astype(np.uint8)
            Image.fromarray(changed).save(folder / anonymised[target])
        records.append(
            {
                "image_id": f"{source}-p0-t0",
                "source": source,
                "split": split,
                "attack": "cgan-img-wdf-pef",
                "original": name,
                "anonymised": anonymised,
            }
        )
    (folder / "samples.json").write_text(json.dumps(records))


def write_run(folder, predictions, distortion, entries):
    folder.mkdir(parents=True, exist_ok=True)
    predictions.to_parquet(folder / "predictions.parquet")
    distortion.to_parquet(folder / "distortion.parquet")
    for entry in entries:
        name = entry["attack"]["name"]
        (folder / f"entry-{name}.json").write_text(json.dumps(entry))


def rewrite(folder, table, edit):
    """Change the rows of one of a run's tables."""
    path = folder / f"{table}.parquet"
    edit(pd.read_parquet(path)).to_parquet(path, index=False)


def edit_json(path, edit):
    """Change what a JSON file holds, in place."""
    content = json.loads(path.read_text())
    edit(content)
    path.write_text(json.dumps(content))
