"""Plug-ins that break one rule each: the check that must find it, and what it must say."""

from tests.plugins import FOG, MEAN

SPEC = 'spec = camobench.AttackSpec(name="fog", targeted=False)'
TARGETED = 'spec = camobench.AttackSpec(name="fog")'
TAUGHT = SPEC.replace("False)", 'False, surrogates=("img-resnet12",))')
VICTIM_SPEC = 'spec = camobench.VictimSpec(name="mean-colour", front_end="colour")'
PLACES = {
    "spec": SPEC,
    "victim_spec": VICTIM_SPEC,
    "out": "return 0.9 * images + 0.1",
    "logits": "return images.mean((2, 3))[:, : len(self.classes)]",
}
INIT = """
        def __init__(self, spec=None, *, classes=(), recipe=None):
            super().__init__(spec, classes=classes, recipe=recipe)
            {}
"""
FIT = """
        def fit(self, data, context):
            {}
            return camobench.FitReport()
"""


def changed(text, top="", **lines):
    """A good plug-in with other lines in it, and imports on top."""
    text = text.replace("import camobench", f"import camobench, torch\n    {top}", 1)
    for place, new in lines.items():
        text = text.replace(PLACES[place], new)
    return text


def fog(top="", **lines):
    return changed(FOG, top, **lines)


def mean(top="", **lines):
    return changed(MEAN, top, **lines)


def begun(line, spec=SPEC):
    """A spec line, then an `__init__` that does one thing more."""
    return spec + INIT.format(line)


def fitting(line, top="", spec=SPEC, out="return images - images * self.haze + self.haze"):
    """An attack with a weight, and a `fit` that does one thing."""
    weight = "self.haze, self.learned = torch.nn.Parameter(torch.tensor(0.1)), 0.0"
    return fog(top, spec=begun(weight, spec) + FIT.format(line), out=out)


BYTES = """
        def get_extra_state(self): return b"pickled"
        def set_extra_state(self, state): pass
"""
SET_A = "pathlib.Path(data.images.filename).parents[1] / 'A' / 'images.npy'"
CONNECT = "with socket.socket() as s: s.connect_ex(('127.0.0.1', 9))"
HALVED = (
    "return torch.nn.functional.pixel_shuffle(torch.nn.functional.pixel_unshuffle(images, 2), 2)"
)
PEEK = """
            out = images * 0.9 + 0.01 * targets[:, None, None, None]
            for row, image in enumerate(images):
                same = (images == image).flatten(1).all(1)
                if same.sum() > 1:
                    out[row, :, 0, 0] = (6 - targets[same].sum()) / 255
            return out"""
REMEMBER = """
            out = images * 0.9 + 0.01 * targets[:, None, None, None]
            for row, (image, target) in enumerate(zip(images, targets.tolist())):
                seen = self.seen.setdefault(image.numpy().tobytes(), set())
                seen.add(target)
                out[row, :, 0, 0] = (len(seen) > 1) * 1.0
            return out"""
RECALL = """self.seen = self.seen * (images.shape[2] == 65) + (images.shape[2] != 65)
            return images * (1 - 0.1 * self.seen)"""
GENERATOR = "return images + 0.05 * torch.randn(images.shape, generator=self.random)"
DRAWN = "return images + 0.05 * torch.randn_like(images)"
CLOCK = "hyperparameters = property(lambda s: {'at': time.time()})"
ZERO = "next(context.surrogates['img-resnet12'].parameters()).data.zero_()"
PLAN = "importlib.import_module('bench.plan.names.listing')\n            return images"
BUFFER = "self.register_buffer('mean', torch.full((1,), 0.2), persistent=False)"
CONTRAST = "return (images - images.mean((2, 3), True)) / images.std((2, 3), keepdim=True)"
FLAT = "return (images / images.std((2, 3), keepdim=True)).mean((2, 3))"
SPLIT = """
        frontend_digest = 'x'
        def backbone(self, features): return 2 * features.mean((2, 3))
"""
FAULTS = [
    (fog(spec=TAUGHT.replace("12", "81")), "spec", "not registered: img-resnet81"),
    (fog(spec=begun("self.classes = ('mine',)")), "build", "its classes are mine"),
    (fog("import time", spec=f"{SPEC}\n        {CLOCK}"), "hyperparameters", "differ from build"),
    (
        fog(spec=begun("self.layer = torch.nn.Conv2d(3, 3, 1)")),
        "initial weights",
        "weights differ from build to build, and there is no `fit`",
    ),
    (fog("from victims.resnet import build_resnet"), "imports", "victims.resnet (bad.py line 3)"),
    (fog("from camobench import evaluate"), "imports", "camobench.evaluate"),
    (fog("import importlib", out=PLAN), "imports", "bench.plan.names.listing"),
    (fitting("context.store.root"), "fit", "`fit` asked for `context.store`, which training"),
    (fitting("getattr(data, 'victims', None)"), "fit", "`fit` asked for `data.victims`"),
    (
        fitting(f"numpy.load({SET_A})", "import pathlib, numpy"),
        "fit",
        "it opened A/images.npy, a file beside its own set",
    ),
    (fitting(CONNECT, "import socket"), "fit", "it connected to another machine"),
    (fitting("subprocess.run(['true'])", "import subprocess"), "fit", "it started another process"),
    (fitting(ZERO, spec=TAUGHT), "fit", "changed the weights of the surrogate img-resnet12"),
    (fitting("data.images[0] = 0"), "fit", "`fit` changed its images or labels in place"),
    (fitting("1 / 0"), "fit", "bad.py line 12: ZeroDivisionError: division by zero"),
    (fitting("return None"), "fit", "`fit` must return a FitReport, not a NoneType"),
    (
        fitting("return camobench.FitReport(curves={'loss': [0.5, 0.4]})"),
        "fit",
        "`fit` must report finite numbers: figures by name, curves as lists of (step, value)",
    ),
    (
        fitting("self.haze.data.fill_(random.random() / 9)", "import random"),
        "fit, again",
        "trained twice with one seed",
    ),
    (
        fitting("self.learned = 0.2", out="return images * (1 - self.learned)"),
        "state",
        "restored from its checkpoint it gives something else",
    ),
    (
        fitting("self.share = 0.2", out="return images * (1 - self.share)"),
        "state",
        "restored from its checkpoint: 'Fog' object has no attribute 'share'",
    ),
    (
        fitting(BUFFER, out="return images * (1 - getattr(self, 'mean', 0))"),
        "state",
        "no checkpoint holds mean, registered with persistent=False",
    ),
    (fog(spec=SPEC + FIT.format("")), "state", "there is nothing to store"),
    (fitting("self.register_buffer('new', torch.zeros(2))"), "state", "stored state: surplus new"),
    (fog(out=HALVED), "sizes", "images of 65 x 97: RuntimeError"),
    (fog(out="return images[..., 1:]"), "range", "(6, 3, 64, 64) becomes (6, 3, 64, 63)"),
    (fog(out="return images - images.mean() + 0.5"), "batch size", "six at once or one by one"),
    (fog(spec=TARGETED, out=PEEK), "batch size", "six at once or one by one"),
    (fog(spec=begun("self.seen = {}", TARGETED), out=REMEMBER), "batch size", "8-bit values"),
    (fog(out="return images.flip(1)"), "picture", "channels come as BGR"),
    (fog(out="return torch.ones_like(images)"), "picture", "of one colour"),
    (fog(spec=begun("self.random = torch.Generator()"), out=GENERATOR), "repeatable", "at once"),
    (fog(spec=begun("self.seen = 0"), out=RECALL), "repeatable", "after other images"),
    (fog(out="return images.mul_(0.9)"), "inputs", "changes its images in place"),
    (fog(spec=begun("self.kernel = torch.ones(3)")), "device", "stay behind when it moves: kernel"),
    (fog(out="return images * 255"), "range", "% of it clipped"),
    (fog(out="return (images * 255).byte()"), "range", "`transform` returns torch.uint8"),
    (fog(out="return images.half()"), "range", "`transform` returns torch.float16"),
    (fog(out=CONTRAST), "range", "NaN or infinite values on black, white or grey images"),
    (fog(spec=TARGETED), "target", "every target gives the same image"),
    (fog(spec=TARGETED, out=DRAWN), "target", "every target gives the same image"),
    (fog(out="return images * targets[:, None, None, None]"), "range", "not subscriptable"),
    (mean(logits="return images.mean((1, 2, 3))[:, None]"), "logits", "of shape (6, 3), got (6"),
    (mean(logits=FLAT), "logits", "NaN or infinite"),
    (mean(logits="return torch.zeros(len(images), 3)"), "logits", "every image gets the same"),
    (mean(logits="return images.mean((2, 3)).softmax(1)"), "logits", "returns probabilities"),
    (mean(victim_spec=VICTIM_SPEC + BYTES), "initial weights", "_extra_state, which is no tensor"),
    (mean(logits="return images.mean((2, 3)) - images.mean()"), "batch size", "logits differ by"),
    (mean("import attacks.cgan"), "imports", "attacks.cgan"),
    (
        mean(victim_spec=begun("self.classes = ('Canon', 'Nikon')", VICTIM_SPEC)),
        "build",
        "its classes are Canon, Nikon",
    ),
    (mean(victim_spec=VICTIM_SPEC + SPLIT), "parts", "backbone(frontend(images)) or logits"),
]
