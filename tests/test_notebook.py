"""The README's Python section, cell by cell in a Jupyter kernel, and again."""

import os
import re
import sys

import nbformat
import pandas as pd
import pytest
from nbclient.client import NotebookClient

from tests.test_readme import blocks


def notebook(cells):
    """A notebook of code cells, as plain as the format allows."""
    return nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(text) for text in cells])


def outputs(cell):
    shown = (out.get("text") or out["data"]["text/plain"] for out in cell["outputs"])
    return "".join(shown)


def run(cells, folder):
    done = notebook(cells)
    NotebookClient(done, timeout=600, resources={"metadata": {"path": str(folder)}}).execute()
    return [outputs(cell) for cell in done["cells"]]


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::pytest.PytestWarning")
def test_the_python_section_and_its_cells_run_again(tmp_path, readme_store, monkeypatch):
    monkeypatch.setenv("CAMOBENCH_STORE", str(readme_store))
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(filter(None, sys.path)))
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    first, evaluation, modules = [text for language, text in blocks("In Python") if language]
    small = evaluation.replace("pef-*", "pef-resnet12").replace("fog-out", "small-out")
    shown = "print(run.distortion.groupby('attack').psnr_db.mean()['fog'], end='')"
    key = "print(set(run.predictions.query('attack == \"fog\"').attack_key), end='')"
    changed = first.replace("0.9", "0.5")
    again = [first, small, key, changed, small, key, shown, "print(dir(camobench))"]
    told = run([first, evaluation, modules, key, *again], tmp_path)
    assert re.search(r"\| fog +\|.* n/a ", told[1])
    assert "| blur" in told[2]
    assert told[3] == told[6]  # the same body has the same key
    assert told[9] != told[6]
    assert float(told[10]) < 20
    assert "'register_attack'" in told[11]
    rows = pd.read_parquet(tmp_path / "fog-out" / "predictions.parquet")
    assert set(rows["attack"]) == {"fog", "identity"}
    assert len(set(rows["victim"])) == 5
    assert (tmp_path / "fog-out" / "report.html").is_file()
    rows = pd.read_parquet(tmp_path / "nets-out" / "predictions.parquet")
    assert set(rows["attack"]) == {"fog", "blur", "identity"}
    assert set(rows["victim"]) == {"my-net"}
