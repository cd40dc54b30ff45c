import re

import pytest

from bench.suites.dresden.holdings import coverage, require
from bench.suites.dresden.protocol import DRESDEN_V1, protocol
from bench.types import CamobenchError

ALL = list(protocol())


def refuse(found, partial=False):
    with pytest.raises(CamobenchError) as error:
        require(coverage(found), found, "/copy", "other things", partial=partial)
    return str(error.value)


def test_a_complete_copy():
    covered = coverage(ALL)
    assert covered.complete
    assert (covered.classes, covered.others) == (DRESDEN_V1.models_in, DRESDEN_V1.models_out)
    assert covered.summary() == ""
    require(covered, ALL, "/copy", "", partial=False)
    require(covered, ALL, "/copy", "", partial=True)


def test_a_missing_photograph_is_an_error_with_a_table_and_the_remedy():
    found = [photo for photo in ALL if photo.name != "Kodak_M1063_2_10674"]
    message = refuse(found)
    assert "lacks 1 of the 6171 photographs of dresden-v1, such as Kodak_M1063_2_10674" in message
    assert message.endswith("--partial (`partial=True`)")
    rows = {line.split()[0]: line.split()[1:] for line in message.splitlines() if "/100" in line}
    assert rows.keys() == {*DRESDEN_V1.models_in, *DRESDEN_V1.models_out}
    assert rows["Kodak_M1063"] == ["764/765", "760/760", "100/100"]
    assert rows["Ricoh_GX100"] == ["296/296", "353/353", "100/100"]
    assert rows["Canon_Ixus70"] == ["100/100"]
    covered = coverage(found)
    require(covered, found, "/copy", "", partial=True)
    assert covered.summary() == "Kodak_M1063 (A 764/765)"


def test_models_without_all_sets_are_no_classes():
    found = [
        photo
        for photo in ALL
        if not (photo.model == "Ricoh_GX100" and photo.device == 4)
        and not (photo.model == "Casio_EX-Z150" and photo.device in (0, 1))
        and photo.model != "Samsung_NV15"
    ]
    covered = coverage(found)
    assert covered.classes == tuple(
        model for model in DRESDEN_V1.models_in if model not in ("Ricoh_GX100", "Casio_EX-Z150")
    )
    assert "Samsung_NV15" not in covered.others
    assert covered.summary() == (
        "Casio_EX-Z150 (B 0/324), Ricoh_GX100 (C 0/100), Samsung_NV15 (C 0/100)"
    )


@pytest.mark.parametrize("partial", [False, True])
def test_a_copy_of_other_cameras_says_what_it_found(partial):
    message = refuse([], partial)
    assert "/copy holds no photograph of the twelve camera models" in message
    assert "found other things" in message
    assert "`folder:/copy`" in message


def test_one_class_is_not_enough():
    found = [photo for photo in ALL if photo.model in ("Kodak_M1063", "Canon_Ixus70")]
    message = refuse(found, partial=True)
    assert "fewer than two in-distribution models" in message
    assert re.search(r"Ricoh_GX100 +0/296 +0/353 +0/100", message)
    assert "`folder:/copy`" in message
