"""Plug-ins that break one rule each: the check that must find it, and what it must say."""

from tests.plugins import FOG, MEAN


def fog(**lines):
    """A good attack with other lines in it."""
    text = f"\n    import torch{FOG}"
    for old, new in lines.items():
        text = text.replace(PLACES[old], new)
    return text


def mean(**lines):
    text = f"\n    import torch{MEAN}"
    for old, new in lines.items():
        text = text.replace(PLACES[old], new)
    return text


PLACES = {
    "spec": 'spec = camobench.AttackSpec(name="fog", targeted=False)',
    "out": "return 0.9 * images + 0.1",
    "logits": "return images.mean((2, 3))[:, : len(self.classes)]",
    "top": "import camobench",
    "victim_spec": 'spec = camobench.VictimSpec(name="mean-colour", front_end="colour")',
}
TARGETED = 'spec = camobench.AttackSpec(name="fog")'
INIT = """
        def __init__(self, spec=None, *, classes=(), recipe=None):
            super().__init__(spec, classes=classes, recipe=recipe)
            {}
"""


def begun(spec, line):
    """A spec line, then an `__init__` that does one thing more."""
    return spec + INIT.format(line)


def fitting(spec, *lines):
    """A spec line, then a weight and a `fit`."""
    body = "\n            ".join(lines)
    return f"""{spec}

        def __init__(self, spec=None, *, classes=(), recipe=None):
            super().__init__(spec, classes=classes, recipe=recipe)
            self.haze = torch.nn.Parameter(torch.tensor(0.1))
            self.learned = 0.0

        def fit(self, data, context):
            from bench.types import FitReport
            {body}
            return FitReport()
"""


SPEC, VICTIM_SPEC = PLACES["spec"], PLACES["victim_spec"]
USE = "return images - images * self.haze + self.haze"
ATTACKS = {
    "a surrogate that is not there": (
        fog(
            spec='spec = camobench.AttackSpec(name="fog", targeted=False, '
            'surrogates=("img-resnet81",))'
        ),
        "spec",
        "asks for surrogates that are not registered: img-resnet81",
    ),
    "its own classes": (
        fog(spec=begun(SPEC, "self.classes = ('mine',)")),
        "build",
        "its classes are mine",
    ),
    "hyper-parameters with the time": (
        fog(
            top="import camobench, time",
            spec=f"{SPEC}\n        hyperparameters = property(lambda s: {{'at': time.time()}})",
        ),
        "hyperparameters",
        "differ from build to build",
    ),
    "random weights and no fit": (
        fog(spec=begun(SPEC, "self.layer = torch.nn.Conv2d(3, 3, 1)")),
        "initial weights",
        "weights differ from build to build, and there is no `fit`",
    ),
    "imports the victims": (
        fog(top="import camobench\n    from victims.resnet import build_resnet"),
        "imports",
        "victims.resnet (bad.py line 4)",
    ),
    "imports the runner inside": (
        fog(out="from bench.jobs.networks import Shelf\n            return images"),
        "imports",
        "bench.jobs.networks",
    ),
    "evaluates itself": (
        fog(top="import camobench\n    from camobench import evaluate"),
        "imports",
        "camobench.evaluate",
    ),
    "asks for the store": (
        fog(spec=fitting(SPEC, "context.store.root"), out=USE),
        "fit",
        "`fit` asked for `context.store`, which training is not given",
    ),
    "tries for the victims": (
        fog(spec=fitting(SPEC, "getattr(data, 'victims', None)"), out=USE),
        "fit",
        "`fit` asked for `data.victims`",
    ),
    "reads Set-A": (
        fog(
            top="import camobench, pathlib, numpy",
            spec=fitting(
                SPEC,
                "other = pathlib.Path(data.images.filename).parents[1] / 'A' / 'images.npy'",
                "numpy.load(other)",
            ),
            out=USE,
        ),
        "fit",
        "it opened A/images.npy, a file beside its own set",
    ),
    "asks another machine": (
        fog(
            top="import camobench, socket",
            spec=fitting(SPEC, "with socket.socket() as s: s.connect_ex(('127.0.0.1', 9))"),
            out=USE,
        ),
        "fit",
        "it connected to another machine",
    ),
    "starts a process": (
        fog(
            top="import camobench, subprocess, sys",
            spec=fitting(SPEC, "subprocess.run([sys.executable, '-c', ''])"),
            out=USE,
        ),
        "fit",
        "it started another process",
    ),
    "imports by name": (
        fog(
            top="import camobench, importlib",
            out="importlib.import_module('bench.plan.names.listing')\n            return images",
        ),
        "imports",
        "bench.plan.names.listing",
    ),
    "spoils a surrogate": (
        fog(
            spec=fitting(
                'spec = camobench.AttackSpec(name="fog", targeted=False, '
                'surrogates=("img-resnet12",))',
                "next(context.surrogates['img-resnet12'].parameters()).data.zero_()",
            ),
            out=USE,
        ),
        "fit",
        "`fit` changed the weights of the surrogate img-resnet12",
    ),
    "spoils its images": (
        fog(spec=fitting(SPEC, "data.images[0] = 0"), out=USE),
        "fit",
        "`fit` changed its images or labels in place",
    ),
    "a fit that crashes": (
        fog(spec=fitting(SPEC, "1 / 0"), out=USE),
        "fit",
        "bad.py line 15: ZeroDivisionError: division by zero",
    ),
    "no report": (
        fog(spec=fitting(SPEC, "return None"), out=USE),
        "fit",
        "`fit` must return a FitReport, not a NoneType",
    ),
    "training by chance": (
        fog(
            top="import camobench, random",
            spec=fitting(SPEC, "self.haze.data.fill_(random.random() / 9)"),
            out=USE,
        ),
        "fit, again",
        "trained twice with one seed, two networks",
    ),
    "learns outside its state": (
        fog(spec=fitting(SPEC, "self.learned = 0.2"), out="return images * (1 - self.learned)"),
        "state",
        "restored from its checkpoint it gives something else",
    ),
    "learns what is not stored": (
        fog(
            spec=fitting(
                SPEC, "self.register_buffer('mean', torch.full((1,), 0.2), persistent=False)"
            ),
            out="return images * (1 - getattr(self, 'mean', 0))",
        ),
        "state",
        "no checkpoint holds mean, registered with persistent=False",
    ),
    "nothing to learn": (
        fog(
            spec=f"{SPEC}\n        def fit(self, data, context):"
            "\n            return camobench.FitReport()"
        ),
        "state",
        "there is nothing to store",
    ),
    "a state that grows": (
        fog(spec=fitting(SPEC, "self.register_buffer('new', torch.zeros(2))"), out=USE),
        "state",
        "a fresh build does not take the stored state: surplus new",
    ),
    "even sizes only": (
        fog(
            out="return torch.nn.functional.pixel_shuffle(torch.nn.functional.pixel_unshuffle("
            "images, 2), 2)"
        ),
        "sizes",
        "images of 65 x 97: RuntimeError",
    ),
    "another size": (
        fog(out="return images[..., 1:]"),
        "range",
        "(6, 3, 64, 64) becomes (6, 3, 64, 63)",
    ),
    "statistics of the batch": (
        fog(out="return images - images.mean() + 0.5"),
        "batch size",
        "five at once or one by one",
    ),
    "peeks at its batch": (
        fog(
            spec=TARGETED,
            out="""
            out = images * 0.9 + 0.01 * targets[:, None, None, None]
            for row, image in enumerate(images):
                same = (images == image).flatten(1).all(1)
                if same.sum() > 1:
                    out[row, :, 0, 0] = (6 - targets[same].sum()) / 255
            return out""",
        ),
        "company",
        "beside itself with other targets",
    ),
    "remembers who came before": (
        fog(
            spec=begun(TARGETED, "self.seen = {}"),
            out="""
            out = images * 0.9 + 0.01 * targets[:, None, None, None]
            for row, (image, target) in enumerate(zip(images, targets.tolist())):
                seen = self.seen.setdefault(image.numpy().tobytes(), set())
                seen.add(target)
                out[row, :, 0, 0] = (len(seen) > 1) * 1.0
            return out""",
        ),
        "company",
        "other targets gives another result",
    ),
    "channels of another library": (
        fog(out="return images.flip(1)"),
        "picture",
        "channels come as BGR",
    ),
    "rows and columns": (
        fog(out="return images.transpose(2, 3) if images.shape[2] == images.shape[3] else images"),
        "picture",
        "rows and columns are swapped",
    ),
    "a mirror": (
        fog(out="return images.flip(3) * 0.95"),
        "picture",
        "flipped left to right",
    ),
    "off by one": (
        fog(out="return images.roll(1, 2)"),
        "picture",
        "shifted",
    ),
    "a white sheet": (
        fog(out="return torch.ones_like(images)"),
        "picture",
        "of one colour",
    ),
    "the other range": (
        fog(out="return (images + 1) / 2"),
        "picture",
        "as if the images were in [-1, 1]",
    ),
    "noise": (
        fog(out="return images + 0.05 * torch.randn_like(images)"),
        "repeatable",
        "another result at once",
    ),
    "memory": (
        fog(
            spec=begun(SPEC, "self.seen = 0"),
            out="self.seen = self.seen * (images.shape[2] == 65) + (images.shape[2] != 65)\n"
            "            return images * (1 - 0.1 * self.seen)",
        ),
        "repeatable",
        "another result after other images",
    ),
    "in place": (
        fog(out="return images.mul_(0.9)"),
        "inputs",
        "changes its images in place",
    ),
    "double precision for all": (
        fog(out="torch.set_default_dtype(torch.float64)\n            return images"),
        "settings",
        "changes torch's settings: default type",
    ),
    "a stray tensor": (
        fog(spec=begun(SPEC, "self.kernel = torch.ones(3)")),
        "device",
        "plain tensors that stay behind when it moves: kernel",
    ),
    "grey levels": (
        fog(out="return images * 255"),
        "range",
        "% of it clipped",
    ),
    "bytes": (
        fog(out="return (images * 255).byte()"),
        "range",
        "`transform` returns torch.uint8",
    ),
    "half precision": (
        fog(out="return images.half()"),
        "range",
        "`transform` returns torch.float16",
    ),
    "division by contrast": (
        fog(out="return (images - images.mean((2, 3), True)) / images.std((2, 3), keepdim=True)"),
        "range",
        "NaN or infinite values on black, white or grey images",
    ),
    "a target that it ignores": (
        fog(spec=TARGETED),
        "target",
        "every target gives the same image",
    ),
    "a target that it needs": (
        fog(out="return images * targets[:, None, None, None]"),
        "range",
        "TypeError: 'NoneType' object is not subscriptable",
    ),
    "a lambda": (
        fog(spec=begun(SPEC, "self.curve = lambda x: x")),
        "copies",
        "cannot be copied or pickled",
    ),
}
VICTIMS = {
    "one column": (
        mean(logits="return images.mean((1, 2, 3))[:, None]"),
        "logits",
        "expected logits of shape (6, 3), got (6, 1)",
    ),
    "NaN": (
        mean(logits="return (images / images.std((2, 3), keepdim=True)).mean((2, 3))"),
        "logits",
        "values are NaN or infinite",
    ),
    "blind": (
        mean(logits="return torch.zeros(len(images), len(self.classes))"),
        "logits",
        "every image gets the same logits",
    ),
    "probabilities": (
        mean(logits="return (9 * images.mean((2, 3))).softmax(1)"),
        "logits",
        "returns probabilities",
    ),
    "logarithms of probabilities": (
        mean(logits="return images.mean((2, 3)).log_softmax(1)"),
        "logits",
        "returns logarithms of probabilities",
    ),
    "batch statistics": (
        mean(logits="return images.mean((2, 3)) - images.mean((0, 2, 3))"),
        "batch size",
        "logits differ by",
    ),
    "imports the attacks": (
        mean(top="import camobench\n    import attacks.cgan"),
        "imports",
        "attacks.cgan",
    ),
    "its own cameras": (
        mean(victim_spec=begun(VICTIM_SPEC, "self.classes = ('Canon', 'Nikon')")),
        "build",
        "its classes are Canon, Nikon",
    ),
    "a split that disagrees": (
        mean(
            victim_spec=f"{VICTIM_SPEC}\n        frontend_digest = 'x'\n"
            "        def backbone(self, features): return 2 * features.mean((2, 3))\n"
        ),
        "parts",
        "backbone(frontend(images)) is not logits(images)",
    ),
}
