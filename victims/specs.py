"""Which victims ship: their specs and what they are trained by, without importing a network.

First the paper's fifteen, three input spaces in front of five backbones; then further networks of
the field, support vector machines, and any network of timm by name. A new one is a file of
its own and a line here.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, TypeAlias

from bench.contract.specs import Traits, VictimSpec
from bench.recipes import RESIDUAL_NAME, AdamWRecipe, ClassifierRecipe, Recipe
from bench.registry import Deferred, Entry, Family
from bench.types import Json, as_json

if TYPE_CHECKING:
    from bench.contract import Victim

VictimEntry: TypeAlias = "Entry[VictimSpec, Victim]"

FRONT_ENDS = ("wdf", "pef", "img")
FIXED_FRONT_ENDS: Mapping[str, int] = {"hpf": 1, "fd": 6}
"""Further ones, for networks of timm alone, and the maps that they give."""
STREAMS = ("low", "img-fd")
"""What further anonymisers are taught by."""
DENSENETS: Mapping[str, int] = {"densenet40": 40, "densenet100": 100}
"""Depths of DenseNet-BC with growth rate 12 (Huang et al. 2017)."""
RESNETS: Mapping[str, tuple[int, ...]] = {
    "resnet12": (1, 1, 1, 2),
    "resnet18": (2, 2, 2, 2),
    "resnet34": (3, 4, 6, 3),
}
"""Basic blocks a stage (He et al. 2016). The paper does not say what ResNet-12 is."""
SVM: Mapping[str, Json] = {"C": 1.0, "gamma": "scale", "kernel": "rbf", "strategy": "one-vs-rest"}
ROOTED_SVM: Mapping[str, Json] = {**SVM, "C": 100.0, "scaling": "square root"}
"""For histograms: their square roots are alike in variance and bounded, so far images stay near."""
LINEAR_SVM: Mapping[str, Json] = {"C": 1.0, "kernel": "linear", "strategy": "one-vs-rest"}
AWARE_OF = ("jpeg", "median", "gaussian-blur", "mi-fgsm", "mislgan")
"""What aware defenders know, beside noise: the field's usual treatments, an attack by gradients and
a generative one; the cGANs with other local classifiers are strangers to them."""
HARDER = 4
"""Times the usual steps."""
TIMM = "timm:"


def _convnets(
    family: str,
    option: str,
    shapes: Mapping[str, object],
    front_ends: tuple[str, ...] = FRONT_ENDS,
    suffix: str = "",
    **spec: Any,
) -> list[VictimEntry]:
    """Every front-end before every backbone, made by `make` in the family's file."""
    spec = {"paper": "Andrews, Zhang & Griffin 2020, sections 3.3 and 4.2", **spec}
    entries = list[VictimEntry]()
    for front_end, (backbone, shape) in itertools.product(front_ends, shapes.items()):
        stated = VictimSpec(
            name=f"{front_end}-{backbone}{suffix}",
            front_end=front_end,
            backbone=backbone,
            residual=RESIDUAL_NAME if front_end in ("wdf", "low") else None,
            licence="MIT",
            **spec,
        )
        builder = partial(Deferred(f"victims.{family}:make"), **{option: shape})
        traits = partial(_traits, family, stated)
        entries.append(Entry(spec=stated, builder=builder, traits=traits))
    return entries


def _traits(family: str, spec: VictimSpec, recipe: Recipe) -> Traits:
    stated = as_json(budget(spec, recipe.classifiers[family]))
    return Traits(hyperparameters={"classifier": stated}, reducible=True)


def budget(spec: VictimSpec, usual: ClassifierRecipe) -> ClassifierRecipe:
    """How a network is trained: for longer where it must tell more cameras or treated images."""
    return longer(usual) if spec.aware_of or spec.more_models else usual


def longer(usual: ClassifierRecipe) -> ClassifierRecipe:
    """A budget of steps times `HARDER`; an epoch is longer by itself."""
    return usual if usual.steps is None else replace(usual, steps=HARDER * usual.steps)


def by_adamw(like: ClassifierRecipe) -> AdamWRecipe:
    """A budget for what SGD leaves at chance: networks without batch norm."""
    same = {
        name: getattr(like, name) for name in ("width", "batch", "epochs", "steps", "precision")
    }
    return AdamWRecipe(**same, schedule="one-cycle")


def _supplementary(
    place: str,
    hyperparameters: Callable[[Recipe], Mapping[str, Json]],
    **spec: Any,
) -> VictimEntry:
    """A further victim of the field, of a class in a file of its own."""
    return Entry(
        spec=VictimSpec(licence="MIT", supplementary=True, **spec),
        builder=Deferred(f"victims.{place}"),
        traits=lambda recipe: Traits(hyperparameters=hyperparameters(recipe)),
    )


def _timm(name: str) -> VictimEntry | None:
    """The entry of `timm:NAME`, `timm:NAME/FRONT-END` or `FRONT-END-timm-NAME`.

    Returns:
        `None` if the name has none of these forms.

    Raises:
        UnknownNameError: If timm has no such network, or there is no such front-end.
    """
    front_end, found, backbone = name.partition("-timm-")
    if name.startswith(TIMM):
        backbone, _, front_end = name.removeprefix(TIMM).partition("/")
    elif found and front_end in (*FRONT_ENDS, *FIXED_FRONT_ENDS):
        backbone = backbone.replace("-", "_")
    else:
        return None
    entry: VictimEntry = Deferred("victims.timm_backbone:entry")(backbone, front_end or "img")
    return entry


_resnet18 = partial(
    _convnets, "resnet", "blocks", {"resnet18": RESNETS["resnet18"]}, supplementary=True
)
_svm = partial(_supplementary, backbone="svm-rbf", differentiable=False)
ENTRIES: tuple[VictimEntry, ...] = (
    *_convnets("densenet", "depth", DENSENETS),
    *_convnets("resnet", "blocks", RESNETS),
    *_resnet18(STREAMS, paper="Andrews, Zhang & Griffin 2020, second version (ECCV workshops)"),
    *_resnet18(suffix="-aware", aware_of=AWARE_OF),
    *_resnet18(
        suffix="-more-models",
        paper="Zhao & Stamm 2020 (that other class definitions stop attacks)",
        more_models=True,
    ),
    _svm(
        "spam:SpamSvm",
        lambda recipe: SVM,
        name="spam-svm",
        front_end="spam",
        paper="Pevny, Bas & Fridrich 2010 (features); per colour plane, with a Gaussian SVM",
    ),
    _supplementary(
        "mislnet:Mislnet",
        lambda recipe: {"classifier": as_json(recipe.classifiers["resnet"])},
        name="mislnet",
        front_end="green",
        backbone="mislnet",
        paper="Bayar & Stamm 2018",
    ),
    _supplementary(
        "bondi:BondiSvm",
        lambda recipe: {
            **LINEAR_SVM,
            "classifier": as_json(by_adamw(recipe.classifiers["resnet"])),
        },
        name="bondi-svm",
        front_end="img",
        backbone="svm-linear",
        paper="Bondi et al. 2017",
    ),
    _svm(
        "lbp:LbpSvm",
        lambda recipe: ROOTED_SVM,
        name="lbp-svm",
        front_end="lbp",
        paper="after Xu & Shi 2012",
    ),
)
FAMILY: Family[VictimSpec, Victim] = Family(form="timm:NAME/FRONT-END", resolve=_timm)
