"""The eight cGAN rows of Andrews et al. (2020), Tables 2 and 3: specs of one implementation.

`mislgan` is the paper's baseline after Chen et al. (2018, 2019), `cgan-img-wdf-pef` its full
method.
"""

from attacks.cgan.attack import CganAttack
from bench.contract import Attack, AttackSpec
from bench.registry import Entry

PAPER = "Andrews, Zhang & Griffin 2020"
REACH_PX = 64
"""The synthetic CFA reaches 12 pixels, the generator 31."""
BASELINE = "Chen, Zhao & Stamm 2018, 2019, as a cGAN by Andrews, Zhang & Griffin 2020"


def _row(name: str, laac: tuple[str, ...], *, scfa: bool = False, paper: str = PAPER) -> AttackSpec:
    return AttackSpec(
        name=name,
        laac=laac,
        scfa=scfa,
        surrogates=tuple(f"{space}-resnet18" for space in laac),
        reach_px=REACH_PX,
        paper=paper,
        licence="MIT",
    )


SPECS = (
    _row("cgan-img", ("img",)),
    _row("cgan-wdf", ("wdf",)),
    _row("cgan-wdf-scfa", ("wdf",), scfa=True),
    _row("cgan-pef", ("pef",)),
    _row("mislgan", ("pef",), scfa=True, paper=BASELINE),
    _row("cgan-img-wdf", ("img", "wdf")),
    _row("cgan-img-pef", ("img", "pef")),
    _row("cgan-img-wdf-pef", ("img", "wdf", "pef")),
)

ENTRIES: tuple[Entry[AttackSpec, Attack], ...] = tuple(
    Entry(spec=spec, builder=CganAttack) for spec in SPECS
)
