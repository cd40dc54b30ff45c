"""Networks rewritten for speed once they are trained: the same function, fewer passes over memory.

Batch normalisations move into the convolutions before them; a concatenation of many features that
extends a former one starts from that; a convolution to a few channels, which leaves most of a
processor's vector lanes idle, computes a 2 x 2 cell of pixels at a time. All are exact up to the
rounding of fp32. `reduced` goes further and computes in bf16, where that holds what
has to be held: the input enters the first convolution as two bf16 terms (16 significant bits: bf16
itself would lose the last grey level), products are summed in fp32 by the hardware, and the last
linear layer stays in fp32.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import cast

import torch
from torch import Tensor, fx, nn
from torch.nn import functional as F
from torch.nn.utils.fusion import fuse_conv_bn_eval

from bench.checks import require_finite

CELL_PX = 2
FEW_CHANNELS = 4
LARGE_KERNEL_PX = 5


class CellConv2d(nn.Module):
    """A stride-1 convolution that computes cells of 2 x 2 output pixels as channels.

    Its 2 x 2 shifted copies of each filter, in a kernel one pixel larger, move by two pixels; the
    cells are then unfolded. 64 to 3 channels at 7 x 7 ran 2.9 times as fast on AVX-512.

    Args:
        conv: Stride 1, no dilation, one group.
    """

    def __init__(self, conv: nn.Conv2d) -> None:
        super().__init__()
        weight = conv.weight.detach()
        out, into, height, width = weight.shape
        cells = weight.new_zeros(out, CELL_PX, CELL_PX, into, height + 1, width + 1)
        for y in range(CELL_PX):
            for x in range(CELL_PX):
                cells[:, y, x, :, y : y + height, x : x + width] = weight
        self.weight: Tensor
        self.bias: Tensor | None
        self.register_buffer("weight", cells.flatten(0, 2))
        bias = None if conv.bias is None else conv.bias.detach().repeat_interleave(CELL_PX**2)
        self.register_buffer("bias", bias)
        vertical, horizontal = cast("tuple[int, int]", conv.padding)
        self.padding = (horizontal, horizontal, vertical, vertical)
        self.mode = "constant" if conv.padding_mode == "zeros" else conv.padding_mode
        self.overlap = (height - 1, width - 1)

    def forward(self, features: Tensor) -> Tensor:
        """(N, I, H, W) -> (N, O, H', W') as the convolution would give."""
        padded = F.pad(features, self.padding, mode=self.mode)
        sides = [padded.shape[2] - self.overlap[0], padded.shape[3] - self.overlap[1]]
        if any(side % CELL_PX for side in sides):
            padded = F.pad(padded, (0, sides[1] % CELL_PX, 0, sides[0] % CELL_PX))
        cells = F.conv2d(padded, self.weight, self.bias, stride=CELL_PX)
        return F.pixel_shuffle(cells, CELL_PX)[..., : sides[0], : sides[1]]


class SplitInputConv2d(nn.Module):
    """A bf16 convolution that reads an fp32 input as the sum of two bf16 terms.

    Args:
        conv: In fp32, one group.
    """

    def __init__(self, conv: nn.Conv2d) -> None:
        super().__init__()
        self.conv = copy.deepcopy(conv)
        self.conv.in_channels *= 2
        self.conv.weight = nn.Parameter(conv.weight.detach().repeat(1, 2, 1, 1))

    def forward(self, images: Tensor) -> Tensor:
        """(N, I, H, W) fp32 -> (N, O, H', W') bf16."""
        high = images.to(torch.bfloat16)
        low = (images - high.float()).to(torch.bfloat16)
        out: Tensor = self.conv(torch.cat((high, low), dim=1))
        return out


class Fp32Linear(nn.Module):
    """A linear layer that stays in fp32 whatever type its input has."""

    def __init__(self, linear: nn.Linear) -> None:
        super().__init__()
        self.linear = linear

    def forward(self, features: Tensor) -> Tensor:
        """(..., I) -> (..., O) in fp32."""
        out: Tensor = self.linear(features.float())
        return out


class SignRelu(nn.Module):
    """ReLU of bf16 in place, on its bits as integers: 4 times as fast as torch's on AVX-512.

    A NaN whose sign bit is set becomes 0, so networks are checked for finite weights first.
    """

    def forward(self, features: Tensor) -> Tensor:
        """Any shape, bf16."""
        features.view(torch.int16).clamp_min_(0)
        return features


class AutocastNetwork(nn.Module):
    """A network whose graph cannot be followed, run in bf16 by torch's own rules.

    Args:
        network: In fp32.
    """

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, images: Tensor) -> Tensor:
        """Whatever the network gives, in fp32."""
        with torch.autocast(images.device.type, torch.bfloat16):
            out: Tensor = self.network(images)
        return out.float()


def folded(network: nn.Module, *, cells: bool = True) -> nn.Module:
    """A copy of a trained network for evaluation: batch normalisations folded, cells unfolded.

    Parts whose graph cannot be followed (control flow on values) stay as they are, their children
    are looked at one by one.

    Args:
        network: In fp32; not changed.
        cells: Also replace convolutions to a few channels by `CellConv2d`; for processors.
    """
    network = copy.deepcopy(network).eval().requires_grad_(False)
    if cells:
        for parent, name, child in list(_places(network)):
            if isinstance(child, nn.Conv2d) and _suits_cells(child):
                setattr(parent, name, CellConv2d(child))
    return _fold(network)


def reduced(network: nn.Module) -> nn.Module:
    """A copy of a trained network that computes in bf16 and takes and gives fp32.

    Args:
        network: In fp32, maps (N, C, H, W) to logits; not changed.

    Raises:
        ValueError: If a weight is NaN or infinite.
    """
    for name, weight in network.state_dict().items():
        require_finite(weight, f"weight {name}")
    exact = folded(network, cells=False)
    if not isinstance(exact, fx.GraphModule):
        return AutocastNetwork(exact)
    out = copy.deepcopy(exact).to(torch.bfloat16)
    first, last = _first_convolution(exact), _last_linear(exact)
    if first is None:
        return AutocastNetwork(exact)
    _replace(out, first, SplitInputConv2d(cast("nn.Conv2d", exact.get_submodule(first))).bfloat16())
    if last is not None:
        _replace(out, last, Fp32Linear(cast("nn.Linear", exact.get_submodule(last))))
    for parent, name, child in list(_places(out)):
        if type(child) is nn.ReLU and child.inplace:
            setattr(parent, name, SignRelu())
    return _InFp32(out)


class _InFp32(nn.Module):
    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, images: Tensor) -> Tensor:
        out: Tensor = self.network(images)
        return out.float()


class _Tracer(fx.Tracer):
    def is_leaf_module(self, module: nn.Module, name: str) -> bool:
        own = isinstance(module, (nn.BatchNorm2d, CellConv2d))
        return own or super().is_leaf_module(module, name)


def _fold(network: nn.Module) -> nn.Module:
    if not any(isinstance(child, nn.BatchNorm2d) for child in network.modules()):
        return network
    try:
        graph = fx.GraphModule(network, _Tracer().trace(network))
    except Exception:  # whatever a plug-in's `forward` does with a proxy
        for name, child in network.named_children():
            setattr(network, name, _fold(child))
        return network
    for node in list(graph.graph.nodes):
        _fold_node(graph, node)
    _extend_concatenations(graph)
    graph.delete_all_unused_submodules()
    graph.recompile()
    return graph


def _fold_node(graph: fx.GraphModule, node: fx.Node) -> None:
    norm, before = _module(graph, node), node.args[0] if node.args else None
    if not isinstance(norm, nn.BatchNorm2d) or not isinstance(before, fx.Node):
        return
    rest = _after_norm(norm)
    conv = _module(graph, before)
    if (
        rest is None
        or norm.running_var is None
        or not isinstance(conv, (nn.Conv2d, nn.ConvTranspose2d))
        or len(before.users) > 1
        or _uses(graph, before) > 1
        or _uses(graph, node) > 1
    ):
        return
    transposed = isinstance(conv, nn.ConvTranspose2d)
    _replace(graph, str(before.target), fuse_conv_bn_eval(conv, norm, transpose=transposed))
    _replace(graph, str(node.target), rest)


def _extend_concatenations(graph: fx.GraphModule) -> None:
    """Let torch.cat([a, b, c], 1) start from a former torch.cat([a, b], 1), as in DenseNets."""
    known: dict[tuple[object, ...], fx.Node] = {}
    for node in graph.graph.nodes:
        if node.op != "call_function" or node.target is not torch.cat or len(node.args) != 2:
            continue
        parts, dim = tuple(node.args[0]), node.args[1]
        if dim != 1 or node.kwargs:
            continue
        former = known.get(parts[:-1])
        if former is not None:
            node.args = ([former, parts[-1]], dim)
        if all(isinstance(_module(graph, user), nn.BatchNorm2d) for user in node.users):
            known[parts] = node  # whoever reads it leaves it as it is


def _after_norm(norm: nn.BatchNorm2d) -> nn.Module | None:
    """What a layer does after it normalised; `None` if it is of an unknown kind."""
    if type(norm) is nn.BatchNorm2d:
        return nn.Identity()
    if type(norm).__name__ == "BatchNormAct2d":  # timm's: normalise, drop, activate
        return nn.Sequential(*(getattr(norm, part) for part in ("drop", "act")))
    return None


def _first_convolution(graph: fx.GraphModule) -> str | None:
    """The convolution that alone reads the input, if it can take twice the channels."""
    inputs = [node for node in graph.graph.nodes if node.op == "placeholder"]
    users = list(inputs[0].users) if len(inputs) == 1 else []
    found = _module(graph, users[0]) if len(users) == 1 else None
    suits = type(found) is nn.Conv2d and found.groups == 1
    return str(users[0].target) if suits else None


def _last_linear(graph: fx.GraphModule) -> str | None:
    output = next(node for node in graph.graph.nodes if node.op == "output")
    before = output.args[0]
    found = _module(graph, before) if isinstance(before, fx.Node) else None
    return str(before.target) if type(found) is nn.Linear else None


def _module(graph: fx.GraphModule, node: fx.Node) -> nn.Module | None:
    return graph.get_submodule(str(node.target)) if node.op == "call_module" else None


def _uses(graph: fx.GraphModule, node: fx.Node) -> int:
    """How often the module of a node is called: weights that are shared are not changed."""
    return sum(n.op == "call_module" and n.target == node.target for n in graph.graph.nodes)


def _replace(graph: nn.Module, target: str, module: nn.Module) -> None:
    parent, _, name = target.rpartition(".")
    setattr(graph.get_submodule(parent), name, module)


def _places(network: nn.Module) -> Iterator[tuple[nn.Module, str, nn.Module]]:
    for parent in network.modules():
        for name, child in parent.named_children():
            yield parent, name, child


def _suits_cells(conv: nn.Conv2d) -> bool:
    return (
        conv.out_channels <= FEW_CHANNELS
        and min(conv.kernel_size) >= LARGE_KERNEL_PX
        and (conv.stride, conv.dilation, conv.groups) == ((1, 1), (1, 1), 1)
        and not isinstance(conv.padding, str)
    )
