import pytest
import torch
from torch.nn import functional as F

from bench.checks import to_uint8
from bench.jobs.scoring.condition import saved_as_jpeg
from bench.metrics.suspicions import suspect_company, suspect_images, suspect_logits
from tests.toys import pixels


def photographs(side=96):
    """Smooth colour, edges and some noise."""
    coarse = pixels(6, 24, 24, seed=4).float()
    smooth = F.interpolate(coarse, (side, side), mode="bicubic")
    noise = torch.randn(smooth.shape, generator=torch.Generator().manual_seed(1))
    return (smooth + 3 * noise).clamp(0, 255).byte()


def strong(images, seed=0):
    """With the noise that a strong attack leaves: 27 dB."""
    noise = torch.randn(images.shape, generator=torch.Generator().manual_seed(seed))
    return (images.float() + 11 * noise).clamp(0, 255).byte()


def warped(images, *, degrees=0.0, pixels=0.0):
    """Turned and moved to the right and down, resampled."""
    height, width = images.shape[2:]
    angle = torch.tensor(degrees).deg2rad()
    theta = torch.tensor(
        [
            [angle.cos(), -angle.sin(), 2 * pixels / width],
            [angle.sin(), angle.cos(), 2 * pixels / height],
        ]
    )
    grid = F.affine_grid(theta.expand(len(images), 2, 3), list(images.shape), align_corners=False)
    out = F.grid_sample(images.float(), grid, "bicubic", "reflection", align_corners=False)
    return out.round().clamp(0, 255).byte()


HONEST = {
    "identity": lambda images: images,
    "strong noise": strong,
    "jpeg": lambda images: saved_as_jpeg(images, 30),
    "blur": lambda images: F.avg_pool2d(images.float(), 5, 1, 2).byte(),
    "dark": lambda images: (images * 0.3).byte(),
    "thick fog": lambda images: (images * 0.55 + 0.45 * 255).byte(),
    "strong gamma": lambda images: ((images / 255) ** 3 * 255).byte(),
    "strong bright gamma": lambda images: ((images / 255) ** 0.35 * 255).byte(),
    "contrast": lambda images: ((images.float() - 128) * 1.3 + 128).clamp(0, 255).byte(),
    "grey": lambda images: images.float().mean(1, keepdim=True).expand(-1, 3, -1, -1).byte(),
    "most of a pixel": lambda images: warped(images, pixels=0.75),
    "a turn by a degree": lambda images: warped(images, degrees=1.0),
    "smaller and back": lambda images: F.interpolate(
        F.interpolate(images.float(), scale_factor=0.5, mode="area"), images.shape[2:]
    ).byte(),
}
WRONG = {
    "half of them white": (
        lambda images: torch.cat([images[:3], 0 * images[3:] + 255]),
        "constant",
    ),
    "channels last": (lambda images: images.permute(0, 2, 3, 1).reshape(images.shape), "channels"),
    "read as channels last": (
        lambda images: images.reshape(len(images), 96, 96, 3).permute(0, 3, 1, 2),
        "channels",
    ),
    "moved by four pixels, and noise": (lambda images: strong(images.roll(4, 3)), "shifted"),
    "white": (lambda images: torch.full_like(images, 255), "constant"),
    "grey levels": (lambda images: to_uint8(images.float() + 1), "constant"),
    "[-1, 1]": (lambda images: to_uint8(images / 127.5 - 1), "range"),
    "as of [-1, 1]": (lambda images: to_uint8((images / 255 + 1) / 2), "range"),
    "ImageNet's scale": (lambda images: to_uint8((images / 255 - 0.45) / 0.225), "clipped"),
    "BGR": (lambda images: images.flip(1), "channels"),
    "GRB": (lambda images: images[:, [1, 0, 2]], "channels"),
    "mirrored": (lambda images: images.flip(3), "flipped"),
    "upside down": (lambda images: images.flip(2), "flipped"),
    "transposed": (lambda images: images.transpose(2, 3), "flipped"),
    "moved by a pixel": (lambda images: images.roll(1, 3), "shifted"),
    "moved far": (lambda images: images.roll((-7, 30), (2, 3)), "shifted"),
}


@pytest.mark.parametrize("what", HONEST)
def test_an_honest_attack_is_not_suspected(what):
    images = photographs()
    assert suspect_images(images, HONEST[what](images)) == []


@pytest.mark.parametrize("attacked", [False, True])
@pytest.mark.parametrize("what", WRONG)
def test_a_wrong_convention_is_named(what, attacked):
    images, (wrong, kind) = photographs(), WRONG[what]
    before = strong(images) if attacked and kind != "shifted" else images
    assert [one.kind for one in suspect_images(images, wrong(before))] == [kind]


def test_images_of_one_colour_are_no_suspicion_where_the_originals_are():
    night = torch.zeros((4, 3, 64, 64), dtype=torch.uint8)
    assert suspect_images(night, night + 1) == []


LOGITS = 9 * torch.randn((20, 3), generator=torch.Generator().manual_seed(0))


def test_logits_that_are_none():
    assert suspect_logits(LOGITS) == []
    assert suspect_logits(LOGITS.sigmoid()) == []  # of one class against the others
    assert suspect_logits(-LOGITS.abs()) == []
    for other in (LOGITS.softmax(1).bfloat16(), 100 * LOGITS.softmax(1)):
        assert [one.kind for one in suspect_logits(other)] == ["probabilities"]
    assert suspect_logits(LOGITS.bfloat16()) == []
    assert [one.kind for one in suspect_logits(LOGITS.log_softmax(1))] == ["log-probabilities"]


def test_company():
    image = photographs()[:1]
    assert suspect_company(image, image.clone()) == []
    rounded = image.clone()
    rounded[..., 0, :] ^= 1
    assert suspect_company(image, rounded) == []
    assert suspect_company(image, strong(image))[0].kind == "company"
    assert suspect_company(LOGITS[:1], LOGITS[:1] + 1e-3) == []
    assert suspect_company(LOGITS[:1], LOGITS[1:2])[0].kind == "company"
