import pytest

from bench.types import CamobenchError, Silent
from bench.verify.contract_checks.apart import examine_apart
from tests.plugins import FOG, write

ENDS = {
    "a loop without end": ("while True: pass", "did not end within 5 s"),
    "a call into C": ("ctypes.CDLL(None).sleep(99)", "did not end within 5 s"),
    "an exit": ("os._exit(0)", "ended the process (exit code 0)"),
}


@pytest.mark.parametrize("what", ENDS)
def test_what_ends_or_hangs_its_process_fails_one_check(tmp_path, what):
    does, message = ENDS[what]
    text = FOG.replace("import camobench\n", "import ctypes, os, camobench\n", 1)
    text = text.replace("return", f"{does}\n            return")
    path = write(tmp_path / "bad.py", text)
    found = list(examine_apart(f"{path}:Fog", "cpu", Silent(), limit_s=5.0))
    wrong = [one for one in found if one.verdict == "fail"]
    assert [one.check for one in wrong] == ["range"]
    assert message in wrong[0].finding


def test_an_import_that_ends_its_process_is_said(tmp_path):
    path = write(tmp_path / "bad.py", "import os\nos._exit(4)")
    with pytest.raises(CamobenchError, match=r"exit code 4.* as it was imported; mend it"):
        list(examine_apart(f"{path}:Fog", "cpu", Silent()))
