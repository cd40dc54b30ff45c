import json

import pytest

from bench.execute.node_store import unpack
from bench.jobs.opened_files import opened_in
from bench.store import Store
from bench.types import CamobenchError


def test_what_plug_ins_opened_on_several_nodes_is_put_together(tmp_path):
    store = Store(tmp_path)
    for seen in ({"/a.npy": "1"}, {"/b.npy": "2"}, {"/a.npy": "1"}):
        unpack({"opened/key.json": json.dumps(seen).encode(), "rows": b"x"}, tmp_path)
    assert opened_in(store, "key") == {"/a.npy": "1", "/b.npy": "2"}
    with pytest.raises(CamobenchError, match=r"a\.npy, which a plug-in reads, has changed"):
        unpack({"opened/key.json": b'{"/a.npy": "3"}'}, tmp_path)
