import csv
from collections import Counter, defaultdict
from pathlib import Path

import pytest

from bench.suites.dresden.protocol import DRESDEN_V1, protocol, stem_of

LIST = Path(__file__).parents[3].parent / "shared" / "paper" / "dresden_files.csv"

# The paper's Table 1, in patches of 64 x 64, 64 of an image.
PATCHES = {
    "Kodak_M1063": (48960, 48640),
    "Casio_EX-Z150": (21440, 20736),
    "Nikon_CoolPixS710": (21120, 22528),
    "Praktica_DCZ5.9": (22912, 22080),
    "Olympus_mju-1050SW": (24256, 23936),
    "Ricoh_GX100": (18944, 22592),
}


def test_the_counts_are_those_of_table_1():
    counts = Counter((photo.model, name) for photo, name in protocol().items())
    assert tuple(PATCHES) == DRESDEN_V1.models_in
    for model, (a, b) in PATCHES.items():
        assert (counts[model, "A"], counts[model, "B"]) == (a / 64, b / 64)
    assert 64 * sum(counts[model, "A"] for model in PATCHES) == 157632
    assert 64 * sum(counts[model, "B"] for model in PATCHES) == 160512
    assert all(counts[model, "C"] == 100 for model in DRESDEN_V1.models_in + DRESDEN_V1.models_out)
    assert len(protocol()) == (157632 + 160512) / 64 + 1200


@pytest.mark.skipif(not LIST.is_file(), reason="the list of files is not beside the repository")
def test_the_list_is_that_of_the_published_files():
    shots = defaultdict(list)
    with LIST.open(encoding="utf-8", newline="") as stream:
        for row in csv.DictReader(stream):
            model = f"{row['make']}_{row['model']}".replace("mju_", "mju-")
            shots[model, int(row["device"])].append(int(row["shot"]))
    expected = set()
    for (model, device), taken in shots.items():
        inside = model in DRESDEN_V1.models_in
        if device == (4 if inside else 2):
            taken = sorted(taken)[:100]
        elif not inside:
            continue
        expected |= {f"{model}_{device}_{shot}" for shot in taken}
    assert set(map(stem_of, protocol())) == expected
