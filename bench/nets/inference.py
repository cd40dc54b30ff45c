"""Networks rewritten for speed once they are trained: the same function, fewer operations.

`folded` is exact up to the rounding of fp32. Batch normalisations move into the convolutions before
them; on processors a convolution to a few channels, which leaves most of the vector lanes idle,
computes a 2 x 2 cell of pixels at a time.

`reduced` computes in bf16, where that holds what has to be held: the input enters the first
convolution as two bf16 terms (16 significant bits: bf16 itself would blur grey levels), products
are summed in fp32 by the hardware, and normalisations and the last linear layer stay in fp32.
"""

from __future__ import annotations

import copy
from typing import cast

import torch
from torch import fx, nn
from torch.nn.utils import parametrize
from torch.nn.utils.fusion import fuse_conv_bn_eval

from bench.nets.fast_layers import CellConv2d, Fp32Linear, InFp32, SplitInputConv2d

FEW_CHANNELS = 4
LARGE_KERNEL_PX = 5


def folded(network: nn.Module, *, processor: bool = True) -> nn.Module:
    """A copy of a trained network for evaluation, in fp32.

    Parts whose graph cannot be followed (control flow on values) stay as they are, their children
    are looked at one by one. For a `processor`, convolutions that it computes faster by cells are
    replaced too.
    """
    network = _fold(copy.deepcopy(network).eval().requires_grad_(False))
    if processor:
        for name, child in list(network.named_modules()):
            if name and _fits_cells(child):
                _replace(network, name, CellConv2d(cast("nn.Conv2d", child)))
    return network


def reduced(network: nn.Module) -> nn.Module:
    """A copy of a trained fp32 network that computes in bf16; (N, C, H, W) fp32 -> fp32 logits."""
    exact = folded(network, processor=False)
    if not isinstance(exact, fx.GraphModule):
        return InFp32(exact, autocast=True)
    out = copy.deepcopy(exact).to(torch.bfloat16)
    first, last = _first_convolution(exact), _last_linear(exact)
    if first is None:
        return InFp32(exact, autocast=True)
    _replace(out, first, SplitInputConv2d(cast("nn.Conv2d", exact.get_submodule(first))).bfloat16())
    if last is not None:
        _replace(out, last, Fp32Linear(cast("nn.Linear", exact.get_submodule(last))))
    for name, child in exact.named_modules():
        if isinstance(child, nn.BatchNorm2d):
            _replace(out, name, copy.deepcopy(child))
    return InFp32(out)


class _Tracer(fx.Tracer):
    def is_leaf_module(self, module: nn.Module, name: str) -> bool:
        return isinstance(module, nn.BatchNorm2d) or super().is_leaf_module(module, name)


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
        or any(_is_changed_at_run_time(module) for module in (conv, norm))
        or _uses(graph, before) > 1
        or _uses(graph, node) > 1
    ):
        return
    transposed = isinstance(conv, nn.ConvTranspose2d)
    _replace(graph, str(before.target), fuse_conv_bn_eval(conv, norm, transpose=transposed))
    _replace(graph, str(node.target), rest)


def _is_changed_at_run_time(module: nn.Module) -> bool:
    """Whether hooks or parametrisations make its weights, which are then not what they seem."""
    return bool(
        module._forward_pre_hooks or module._forward_hooks or parametrize.is_parametrized(module)
    )


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


def _fits_cells(conv: nn.Module) -> bool:
    """Whether a convolution has large filters, few outputs and nothing that cells lack."""
    return (
        type(conv) is nn.Conv2d
        and (conv.stride, conv.dilation, conv.groups) == ((1, 1), (1, 1), 1)
        and not isinstance(conv.padding, str)
        and not _is_changed_at_run_time(conv)
        and conv.out_channels <= FEW_CHANNELS
        and min(conv.kernel_size) >= LARGE_KERNEL_PX
    )
