"""The image transformation network of Johnson et al. (2016) with two residual blocks.

Both the residual estimator and the cGAN generator of Andrews et al. (2020) are "adapted from" it:
7 x 7 convolution, two stride-2 convolutions, residual blocks, two transposed convolutions, 7 x 7
convolution; batch normalisation; reflection padding. Deviations, both off in the `paper` recipe:
with `skip` the last convolution also sees the input and the first features, so that a network too
narrow to carry every pixel through its stride-4 middle keeps the last grey level; with `resize` the
decoder repeats pixels and convolves (Odena, Dumoulin & Olah 2016), since transposed convolutions
leave checkerboards.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class ResidualBlock(nn.Module):
    """Two 3 x 3 convolutions, each with batch normalisation."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(channels, channels, 3, padding=1, padding_mode="reflect", bias=False),
            *_norm(channels),
            nn.Conv2d(channels, channels, 3, padding=1, padding_mode="reflect", bias=False),
            nn.BatchNorm2d(channels),
        )

    def forward(self, features: Tensor) -> Tensor:
        """Return features + body(features), same shape."""
        out: Tensor = features + self.body(features)
        return out


class JohnsonNet(nn.Module):
    """A size-preserving image-to-image network; any H, W of at least 16 pixels.

    Args:
        in_channels: Input channels.
        out_channels: Output channels; no activation follows the last convolution.
        width: Channels of the first convolution (64 in the paper).
        blocks: Residual blocks.
        skip: Let the last convolution see the input and the first convolution's features as well.
        resize: Decode by repeating pixels and convolving, not by transposed convolutions.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int = 3,
        *,
        width: int = 64,
        blocks: int = 2,
        skip: bool = False,
        resize: bool = False,
    ) -> None:
        super().__init__()
        self.skip = skip
        self.first = nn.Sequential(
            nn.Conv2d(in_channels, width, 7, padding=3, padding_mode="reflect", bias=False),
            *_norm(width),
        )
        self.encoder = nn.Sequential(
            nn.Conv2d(width, 2 * width, 3, 2, padding=1, padding_mode="reflect", bias=False),
            *_norm(2 * width),
            nn.Conv2d(2 * width, 4 * width, 3, 2, padding=1, padding_mode="reflect", bias=False),
            *_norm(4 * width),
        )
        self.blocks = nn.Sequential(*(ResidualBlock(4 * width) for _ in range(blocks)))
        self.decoder = nn.Sequential(
            _twice_as_large(4 * width, 2 * width, resize),
            *_norm(2 * width),
            _twice_as_large(2 * width, width, resize),
            *_norm(width),
        )
        last_in = 2 * width + in_channels if skip else width
        self.last = nn.Conv2d(last_in, out_channels, 7, padding=3, padding_mode="reflect")
        self.last.store_fp32 = True  # type: ignore[assignment]

    def forward(self, images: Tensor) -> Tensor:
        """Map (N, I, H, W) to (N, O, H, W); sizes that 4 does not divide are padded and cropped."""
        height, width = images.shape[-2:]
        pad = (0, -width % 4, 0, -height % 4)
        padded = F.pad(images, pad, mode="reflect") if any(pad) else images
        first = self.first(padded)
        features = self.decoder(self.blocks(self.encoder(first)))
        if self.skip:
            features = torch.cat((features, first, padded), dim=1)
        out: Tensor = self.last(features)
        return out[..., :height, :width]


def _norm(channels: int) -> tuple[nn.Module, nn.Module]:
    return nn.BatchNorm2d(channels), nn.ReLU(inplace=True)


def _twice_as_large(in_channels: int, out_channels: int, resize: bool) -> nn.Module:
    if not resize:
        return nn.ConvTranspose2d(in_channels, out_channels, 3, 2, 1, output_padding=1, bias=False)
    convolution = nn.Conv2d(
        in_channels, out_channels, 3, padding=1, padding_mode="reflect", bias=False
    )
    return nn.Sequential(nn.Upsample(scale_factor=2, mode="nearest"), convolution)


def channels_last(images: Tensor) -> Tensor:
    """(N, C, H, W) as convolutions are fastest in it; gradients come back as the images came."""
    if images.requires_grad and images.is_contiguous():
        images = images.view_as(images)
        images.register_hook(Tensor.contiguous)  # type: ignore[no-untyped-call]
    return images.contiguous(memory_format=torch.channels_last)
