"""Which anonymisers ship: their specs and hyper-parameters, without importing a network.

The cGANs of Andrews et al. (2020) are rows of one implementation. First the eight of Tables 2 and
3: `mislgan` is the paper's baseline after Chen et al. (2018, 2019), `cgan-img-wdf-pef` its full
method. Then what the paper reports of preliminary experiments without a table: sCFA beside an image
LAAC (hurts), an unconstrained discriminator (worse against all), no LAAC, one GAN per target (no
difference); and GANs of other papers by the same code. Next transfer attacks through LAACs of the
full method (`mi-fgsm` is a control), the field's untargeted anonymisers, and the other controls. A
new anonymiser is a file of its own and a line here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, TypeAlias

from attacks import cama, spoc
from attacks.cgan.recipe import (
    CGAN_RECIPES,
    CganRecipe,
    CganVariant,
    cgan_hyperparameters,
    cgan_recipe,
)
from bench.contract.specs import AttackSpec, Traits
from bench.registry import Deferred, Entry
from bench.types import Json

if TYPE_CHECKING:
    from bench.contract import Attack

AttackEntry: TypeAlias = "Entry[AttackSpec, Attack]"
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
    paper_row: bool = True,
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
        paper_row=paper_row and not preliminary,
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

GANS: tuple[tuple[AttackSpec, CganVariant, Mapping[str, CganRecipe]], ...] = (
    (
        _row("cama", cama.STREAMS, scfa=True, paper=cama.PAPER, paper_row=False),
        CganVariant(),
        cama.RECIPES,
    ),
    (
        _row("spoc", spoc.STREAMS, scfa=True, paper=spoc.PAPER, paper_row=False),
        spoc.VARIANT,
        spoc.RECIPES,
    ),
)

_transfer = partial(
    AttackSpec, version=2, surrogates=tuple(f"{space}-resnet18" for space in ALL), licence="MIT"
)
TRANSFER: Mapping[str, tuple[AttackSpec, Mapping[str, Json]]] = {
    "mi_fgsm:MiFgsm": (
        _transfer(name="mi-fgsm", control=True, paper="Dong et al. 2018"),
        {"eps_255": 4.5},
    ),
    "di_ti_mi_fgsm:DiTiMiFgsm": (
        _transfer(name="di-ti-mi-fgsm", paper="Xie et al. 2019; Dong et al. 2019"),
        {"eps_255": 3.6, "diversity": 0.5, "largest": 1.1, "kernel_px": 7},
    ),
    "vmi_fgsm:VmiFgsm": (
        _transfer(name="vmi-fgsm", paper="Wang & He 2021"),
        {"eps_255": 4.2, "beta": 1.5, "neighbours": 3},
    ),
}
"""Spec and constants of each class, beside those of `transfer_constants`."""


def transfer_constants(constants: Mapping[str, Json], recipe_name: str) -> Mapping[str, Json]:
    """The constants of a transfer attack: ten steps, or two where a recipe means nothing."""
    return {**constants, "steps": 2 if recipe_name == "smoke" else 10, "decay": 1.0}


_untargeted = partial(AttackSpec, targeted=False, licence="MIT")
UNTARGETED: Mapping[str, tuple[AttackSpec, Mapping[str, Json]]] = {
    "resample:Resample": (
        _untargeted(name="resample", paper="after Goljan & Fridrich 2008"),
        {"factor": 0.75},
    ),
    "seam_carving:SeamCarving": (
        _untargeted(name="seam-carving", paper="after Dirik, Sencar & Memon 2014"),
        {"strip_px": 8},
    ),
    "patch_replacement:PatchReplacement": (
        _untargeted(name="patch-replacement", paper="after Entrieri & Kirchner 2016", reach_px=7),
        {"side_px": 3, "reach_px": 5},
    ),
    "prnu_removal:PrnuRemoval": (
        _untargeted(name="prnu-removal", paper="after Karaküçük & Dirik 2015"),
        {"period_px": 16, "passes": 3},
    ),
}
"""Spec and constants of each class."""
LEARN = ("prnu_removal:PrnuRemoval",)

SIAMTE = AttackSpec(
    name="siamte",
    targeted=False,
    surrogates=tuple(f"{space}-resnet18" for space in ALL),
    reach_px=REACH_PX,
    paper="Chen, Xiong, Liu & Wu 2020",
    licence="MIT",
)
SIAMTE_BUDGETS: Mapping[str, Mapping[str, Json]] = {
    "paper": {"width": 64, "batch": 32, "steps": 100_000, "lr": 2e-4},
    "fast": {"width": 64, "batch": 32, "steps": 1500, "lr": 2e-4},
    "wide": {"width": 32, "batch": 16, "steps": 800, "lr": 1e-3},
    "mini": {"width": 16, "batch": 16, "steps": 800, "lr": 1e-3},
    "long": {"width": 16, "batch": 16, "steps": 1600, "lr": 1e-3},
    "smoke": {"width": 4, "batch": 3, "steps": 2, "lr": 1e-3},
}
SIAMTE_CONSTANTS: Mapping[str, Json] = {
    "similarity": 0.01,
    "fidelity": 10.0,
    "identity": 1.0,
    "threshold_255": 2.0,
}


def siamte_constants(constants: Mapping[str, Json], recipe_name: str) -> Mapping[str, Json]:
    """Weights of SiamTE's losses, and its budget with a recipe; the paper's is not known to us."""
    return {**constants, **SIAMTE_BUDGETS[recipe_name]}


_control = partial(AttackSpec, targeted=False, control=True, licence="MIT")
CONTROLS: Mapping[str, tuple[AttackSpec, Mapping[str, Json]]] = {
    "Identity": (_control(name="identity", reach_px=0), {}),
    "Jpeg": (_control(name="jpeg", reach_px=32), {"quality_percent": 85}),
    "Median": (_control(name="median", reach_px=1), {"side_px": 3}),
    "GaussianBlur": (_control(name="gaussian-blur", reach_px=4), {"sigma_px": 1.0}),
    "WaveletDenoise": (
        _control(name="wavelet-denoise", reach_px=176, paper="Lukáš, Fridrich & Goljan 2006"),
        {"sigma_255": 5.0},
    ),
}
"""Spec and hyper-parameters of each class of `attacks.controls`."""


def _cgan(
    spec: AttackSpec, variant: CganVariant, recipes: Mapping[str, CganRecipe] = CGAN_RECIPES
) -> AttackEntry:
    build = Deferred("attacks.cgan.attack:CganAttack")
    return Entry(
        spec=spec,
        builder=partial(build, variant=variant, recipes=recipes),
        traits=lambda recipe: Traits(
            hyperparameters=cgan_hyperparameters(cgan_recipe(recipe.name, recipes), variant)
        ),
    )


def _by_recipe(
    place: str,
    spec: AttackSpec,
    constants: Mapping[str, Json],
    complete: Callable[[Mapping[str, Json], str], Mapping[str, Json]],
) -> AttackEntry:
    """Of an attack that adds to its constants what a recipe gives."""
    return Entry(
        spec=spec,
        builder=partial(Deferred(f"attacks.{place}"), **constants),
        traits=lambda recipe: Traits(hyperparameters=complete(constants, recipe.name)),
    )


def _constant(place: str, spec: AttackSpec, constants: Mapping[str, Json]) -> AttackEntry:
    return Entry(
        spec=spec,
        builder=partial(Deferred(f"attacks.{place}"), **constants),
        traits=lambda recipe: Traits(hyperparameters=constants, learns=place in LEARN),
    )


def _fixed(hyperparameters: Mapping[str, Json]) -> Callable[[object], Traits]:
    return lambda recipe: Traits(hyperparameters=hyperparameters, learns=False)


ENTRIES: tuple[AttackEntry, ...] = (
    *(_cgan(spec, variant) for spec, variant in VARIANTS.items()),
    *(_cgan(*gan) for gan in GANS),
    *(_by_recipe(place, *known, transfer_constants) for place, known in TRANSFER.items()),
    _by_recipe("siamte:SiamTe", SIAMTE, SIAMTE_CONSTANTS, siamte_constants),
    *(_constant(place, spec, constants) for place, (spec, constants) in UNTARGETED.items()),
    *(
        Entry(
            spec=spec,
            builder=Deferred(f"attacks.controls:{cls}"),
            traits=_fixed(hyperparameters),
        )
        for cls, (spec, hyperparameters) in CONTROLS.items()
    ),
)
