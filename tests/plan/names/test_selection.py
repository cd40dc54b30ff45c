import pytest

from bench.contract import ATTACKS, VICTIMS
from bench.plan.names.selection import select_attacks, select_victims
from bench.registry import UnknownNameError
from bench.types import WrongUsageError
from tests.plugins import FOG, write

GANS = ["cama", "spoc"]
TRANSFER = ["mi-fgsm", "di-ti-mi-fgsm", "vmi-fgsm"]
CONTROLS = ["identity", "jpeg", "median", "gaussian-blur", "wavelet-denoise"]
PRELIMINARY = [
    "cgan-img-wdf-pef-scfa",
    "cgan-img-wdf-pef-unconstrained",
    "cgan-no-laac",
    "cgan-img-wdf-pef-per-target",
]


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("mislgan", ["mislgan"]),
        (" mislgan , jpeg,", ["mislgan", "jpeg"]),
        ("jpeg,mislgan,jpeg", ["jpeg", "mislgan"]),
        ("controls", CONTROLS),
        ("jpeg,controls", ["jpeg", *(name for name in CONTROLS if name != "jpeg")]),
        ("cgan-wdf*", ["cgan-wdf", "cgan-wdf-scfa"]),
        ("cgan-img-wdf-pef*", ["cgan-img-wdf-pef"]),
        ("*-per-target,cgan-no-*", ["cgan-img-wdf-pef-per-target", "cgan-no-laac"]),
        ("cgan-no-laac", ["cgan-no-laac"]),
        ("preliminary", PRELIMINARY),
        ("", []),
    ],
)
def test_attacks(text, names):
    assert select_attacks(text) == names


def test_words_for_attacks():
    of_the_tables = [name for name in ATTACKS.names() if name not in PRELIMINARY]
    assert select_attacks("all") == of_the_tables
    targeted = [name for name in of_the_tables if ATTACKS.get(name).spec.targeted]
    assert select_attacks("targeted") == targeted
    assert len(select_attacks("targeted")) == 8 + len(GANS) + len(TRANSFER)
    assert sorted(select_attacks("all,preliminary")) == sorted(ATTACKS.names())


SUPPLEMENTARY = [entry.spec.name for entry in VICTIMS if entry.spec.supplementary]


def test_victims():
    assert select_victims("all") == [n for n in VICTIMS.names() if n not in SUPPLEMENTARY]
    assert len(select_victims("all")) == 15
    assert select_victims("supplementary") == SUPPLEMENTARY
    assert sorted(select_victims("pef-res*")) == ["pef-resnet12", "pef-resnet18", "pef-resnet34"]
    assert select_victims("wdf-resnet34,wdf-resnet34") == ["wdf-resnet34"]
    assert select_victims(" , ") == []


def test_backbones_of_a_library_by_name_alone():
    names = ["pef-timm-resnet10t", "img-resnet12", "img-timm-convnext-atto"]
    assert select_victims("timm:resnet10t/pef,img-resnet12,timm:convnext_atto") == names
    assert select_victims("pef-timm-resnet10t") == names[:1]
    assert not set(names[::2]) & set(select_victims("all,*-*"))
    assert select_victims("timm:resnet10t,img-resnet12,timm:convnext_atto/img", "pef") == names


@pytest.mark.parametrize("text", ["img-resnet12", "timm:resnet10t/img", "all"])
def test_a_front_end_that_nothing_wants(text):
    with pytest.raises(WrongUsageError, match="--front-end pef is for networks of a library"):
        select_victims(text, "pef")


@pytest.mark.parametrize(
    ("select", "text", "close"),
    [
        (select_attacks, "mislgan,mislgam", "unknown attack 'mislgam': did you mean mislgan"),
        (select_attacks, "cgna-*", r"unknown attack 'cgna-\*': did you mean cgan-"),
        (select_attacks, "xyzzy", "'xyzzy': it is none of .* `camobench list attacks`"),
        (select_victims, "pef-resnet13", "unknown victim 'pef-resnet13': did you mean pef-resnet"),
        (select_victims, "controls", "unknown victim 'controls'"),
    ],
)
def test_unknown_names_list_close_ones(select, text, close):
    with pytest.raises(UnknownNameError, match=close):
        select(text)


@pytest.mark.usefixtures("own_registries")
def test_a_plug_in_may_lie_in_a_folder_with_a_comma(tmp_path):
    path = write(tmp_path / "a,b" / "fog.py", FOG)
    assert select_attacks(f"{path}:Fog") == ["fog"]
    assert select_attacks([f"{path}:Fog", "jpeg,median"]) == ["fog", "jpeg", "median"]
