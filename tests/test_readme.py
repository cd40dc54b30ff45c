"""What the README shows runs as it is written."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

README = Path(__file__).resolve().parent.parent / "README.md"


def block(section):
    """The first Python block under a heading."""
    text = README.read_text(encoding="utf-8")
    return re.search(rf"^## {section}$.*?^```python\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)[1]


@pytest.mark.slow
def test_a_script_with_a_plug_in_and_one_call(tmp_path):
    script = tmp_path / "fog.py"
    script.write_text(block("In Python"), encoding="utf-8")
    environment = os.environ | {
        "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
        "CAMOBENCH_STORE": str(tmp_path / "store"),
    }
    done = subprocess.run(
        [sys.executable, script], cwd=tmp_path, env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert re.search(r"^\| fog +\|.* n/a ", done.stdout, re.MULTILINE)
    rows = pd.read_parquet(tmp_path / "fog-out" / "predictions.parquet")
    assert set(rows["attack"]) == {"fog", "identity"}
    assert len(set(rows["victim"])) == 5
    assert (tmp_path / "fog-out" / "report.html").is_file()
