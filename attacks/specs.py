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
Constants: TypeAlias = Mapping[str, Json]
PAPER = "Andrews, Zhang & Griffin 2020"
REACH_PX = 64
"""The synthetic CFA reaches 12 pixels, the generator 31."""
BASELINE = "Chen, Zhao & Stamm 2018, 2019, as a cGAN by Andrews, Zhang & Griffin 2020"
PRELIMINARY = f"{PAPER}, preliminary findings"
ALL = ("img", "wdf", "pef")
AS_IN_TABLES = CganVariant()


def _row(name: str, laac: tuple[str, ...], *, paper: str = PAPER, **more: bool) -> AttackSpec:
    return AttackSpec(
        name=name,
        laac=laac,
        surrogates=tuple(f"{space}-resnet18" for space in laac),
        reach_px=REACH_PX,
        paper=paper,
        licence="MIT",
        **more,  # type: ignore[arg-type]
    )


_of_paper = partial(_row, paper_row=True)
_further = partial(_row, paper=PRELIMINARY, preliminary=True)
SPECS = (
    _of_paper("cgan-img", ("img",)),
    _of_paper("cgan-wdf", ("wdf",)),
    _of_paper("cgan-wdf-scfa", ("wdf",), scfa=True),
    _of_paper("cgan-pef", ("pef",)),
    _of_paper("mislgan", ("pef",), scfa=True, paper=BASELINE),
    _of_paper("cgan-img-wdf", ("img", "wdf")),
    _of_paper("cgan-img-pef", ("img", "pef")),
    _of_paper("cgan-img-wdf-pef", ALL),
)

_transfer = partial(
    AttackSpec, version=2, surrogates=tuple(f"{space}-resnet18" for space in ALL), licence="MIT"
)
TRANSFER: Mapping[str, tuple[AttackSpec, Constants]] = {
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
"""Spec and constants of each class, beside those of `transfer_budget`."""


def transfer_budget(recipe_name: str) -> Constants:
    """What a recipe gives a transfer attack: ten steps, or two where it means nothing."""
    return {"steps": 2 if recipe_name == "smoke" else 10, "decay": 1.0}


SIAMTE = AttackSpec(
    name="siamte",
    targeted=False,
    surrogates=tuple(f"{space}-resnet18" for space in ALL),
    reach_px=REACH_PX,
    paper="Chen, Xiong, Liu & Wu 2020",
    licence="MIT",
)
SIAMTE_BUDGETS: Mapping[str, Constants] = {
    "paper": {"width": 64, "batch": 32, "steps": 100_000, "lr": 2e-4},
    "fast": {"width": 64, "batch": 32, "steps": 1500, "lr": 2e-4},
    "wide": {"width": 32, "batch": 16, "steps": 800, "lr": 1e-3},
    "mini": {"width": 16, "batch": 16, "steps": 800, "lr": 1e-3},
    "long": {"width": 16, "batch": 16, "steps": 1600, "lr": 1e-3},
    "smoke": {"width": 4, "batch": 3, "steps": 2, "lr": 1e-3},
}
"""By recipe; the paper's is not known to us."""
SIAMTE_CONSTANTS: Constants = {
    "similarity": 0.01,
    "fidelity": 10.0,
    "identity": 1.0,
    "threshold_255": 2.0,
}

_untargeted = partial(AttackSpec, targeted=False, licence="MIT")
_control = partial(_untargeted, control=True)
UNTARGETED: Mapping[str, tuple[AttackSpec, Constants]] = {
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
    "controls:Identity": (_control(name="identity", reach_px=0), {}),
    "controls:Jpeg": (_control(name="jpeg", reach_px=32), {"quality_percent": 85}),
    "controls:Median": (_control(name="median", reach_px=1), {"side_px": 3}),
    "controls:GaussianBlur": (_control(name="gaussian-blur", reach_px=4), {"sigma_px": 1.0}),
    "controls:WaveletDenoise": (
        _control(name="wavelet-denoise", reach_px=176, paper="Lukáš, Fridrich & Goljan 2006"),
        {"sigma_255": 5.0},
    ),
}
"""Spec and constants of each class."""
LEARN = ("prnu_removal:PrnuRemoval",)


def _cgan(
    spec: AttackSpec,
    variant: CganVariant = AS_IN_TABLES,
    recipes: Mapping[str, CganRecipe] = CGAN_RECIPES,
) -> AttackEntry:
    build = Deferred("attacks.cgan.attack:CganAttack")
    return Entry(
        spec=spec,
        builder=partial(build, variant=variant, recipes=recipes),
        traits=lambda recipe: Traits(
            hyperparameters=cgan_hyperparameters(cgan_recipe(recipe.name, recipes), variant)
        ),
    )


def _parametric(
    place: str,
    spec: AttackSpec,
    constants: Constants,
    budget: Callable[[str], Constants] = lambda recipe_name: {},
    learns: bool = True,
) -> AttackEntry:
    """Of an attack with constants, to which a recipe may add."""
    return Entry(
        spec=spec,
        builder=partial(Deferred(f"attacks.{place}"), **constants),
        traits=lambda recipe: Traits(
            hyperparameters={**constants, **budget(recipe.name)}, learns=learns
        ),
    )


ENTRIES: tuple[AttackEntry, ...] = (
    *map(_cgan, SPECS),
    _cgan(_further("cgan-img-wdf-pef-scfa", ALL, scfa=True)),
    _cgan(_further("cgan-img-wdf-pef-unconstrained", ALL), CganVariant(constrained=False)),
    _cgan(_further("cgan-no-laac", ())),
    _cgan(_further("cgan-img-wdf-pef-per-target", ALL), CganVariant(per_target=True)),
    _cgan(_row("cama", cama.STREAMS, scfa=True, paper=cama.PAPER), recipes=cama.RECIPES),
    _cgan(_row("spoc", spoc.STREAMS, scfa=True, paper=spoc.PAPER), spoc.VARIANT, spoc.RECIPES),
    *(_parametric(place, *known, transfer_budget) for place, known in TRANSFER.items()),
    _parametric("siamte:SiamTe", SIAMTE, SIAMTE_CONSTANTS, SIAMTE_BUDGETS.__getitem__),
    *(_parametric(at, *known, learns=at in LEARN) for at, known in UNTARGETED.items()),
)
