from itertools import pairwise

import pandas as pd

from bench.jobs.scoring.items import batch_for, mixed
from bench.jobs.scoring.rows import row_shards


def test_the_batch_of_the_cpu_depends_on_the_size_of_the_images():
    assert [batch_for(side, side) for side in (64, 128, 256, 512, 1024)] == [32, 32, 8, 2, 1]
    assert batch_for(512, 512, processor=False) == 256


def test_cameras_are_mixed_over_the_shards_and_within():
    models = [f"cam-{number // 40}" for number in range(200)]  # in the order of a tree of folders
    manifest = pd.DataFrame(
        {"image_id": [f"i{n}" for n in range(200)], "sha256": "0", "model": models}
    )
    order = mixed(manifest)
    assert sorted(order) == list(range(200))
    assert [index for shard in row_shards(order) for index in shard] == order
    for shard in row_shards(order):
        labels = [models[index] for index in shard]
        assert len(set(labels)) >= 3
        neighbours = sum(one == other for one, other in pairwise(labels))
        assert neighbours < len(labels) / 2
