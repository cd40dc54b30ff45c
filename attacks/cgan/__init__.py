"""The cGANs of Andrews et al. (2020): specs of one implementation.

First the eight rows of Tables 2 and 3: `mislgan` is the paper's baseline after Chen et al. (2018,
2019), `cgan-img-wdf-pef` its full method. Then what the paper reports of preliminary experiments
without a table: sCFA beside an image LAAC (hurts), an unconstrained discriminator (worse against
all), no LAAC, one GAN per target (no difference).
"""

from functools import partial

from attacks.cgan.attack import CganAttack
from attacks.cgan.variant import CganVariant
from bench.contract import Attack, AttackSpec
from bench.registry import Entry

PAPER = "Andrews, Zhang & Griffin 2020"
REACH_PX = 64
"""The synthetic CFA reaches 12 pixels, the generator 31."""
BASELINE = "Chen, Zhao & Stamm 2018, 2019, as a cGAN by Andrews, Zhang & Griffin 2020"
PRELIMINARY = f"{PAPER}, preliminary findings"
ALL = ("img", "wdf", "pef")


def _row(
    name: str,
    laac: tuple[str, ...],
    *,
    scfa: bool = False,
    paper: str = PAPER,
    preliminary: bool = False,
) -> AttackSpec:
    return AttackSpec(
        name=name,
        laac=laac,
        scfa=scfa,
        surrogates=tuple(f"{space}-resnet18" for space in laac),
        reach_px=REACH_PX,
        paper=paper,
        licence="MIT",
        paper_row=not preliminary,
        preliminary=preliminary,
    )


SPECS = (
    _row("cgan-img", ("img",)),
    _row("cgan-wdf", ("wdf",)),
    _row("cgan-wdf-scfa", ("wdf",), scfa=True),
    _row("cgan-pef", ("pef",)),
    _row("mislgan", ("pef",), scfa=True, paper=BASELINE),
    _row("cgan-img-wdf", ("img", "wdf")),
    _row("cgan-img-pef", ("img", "pef")),
    _row("cgan-img-wdf-pef", ALL),
)

_further = partial(_row, paper=PRELIMINARY, preliminary=True)
VARIANTS = {
    **dict.fromkeys(SPECS, CganVariant()),
    _further("cgan-img-wdf-pef-scfa", ALL, scfa=True): CganVariant(),
    _further("cgan-img-wdf-pef-unconstrained", ALL): CganVariant(constrained=False),
    _further("cgan-no-laac", ()): CganVariant(),
    _further("cgan-img-wdf-pef-per-target", ALL): CganVariant(per_target=True),
}

ENTRIES: tuple[Entry[AttackSpec, Attack], ...] = tuple(
    Entry(spec=spec, builder=partial(CganAttack, variant=variant))
    for spec, variant in VARIANTS.items()
)
