"""Demosaicers on the planes of the Bayer cell.

All work on the four sub-images ("planes") of the 2x2 Bayer cell, brought to RGGB order by how much
is padded: `r` and `b` hold red and blue, `gr` and `gb` green in red and in blue rows. Neighbours
are slices, so results do not depend on batch size, and reduced-precision modes such as TF32
cannot touch them. A function that looks at neighbours returns planes that are one sample smaller on
each side; the reflected margin added beforehand pays for that.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor

_TIE = 2.0**-16
"""Direction scores closer than this are equal. Ties are common in 8-bit images; without a margin,
rounding would break them differently on each device and precision."""


class Planes(NamedTuple):
    """The Bayer cell [[r, gr], [gb, b]] as planes of shape (N, h, w)."""

    r: Tensor
    gr: Tensor
    gb: Tensor
    b: Tensor


class Rgb(NamedTuple):
    """A demosaiced image: each colour at each place of the Bayer cell."""

    red: Planes
    green: Planes
    blue: Planes


# Neighbour sums. Seen from a plane of the cell, the samples to either side in another plane are at
# offsets 0 and `step`: +1 if that plane comes later in the cell's row or column, -1 if earlier.


def _inner(plane: Tensor) -> Tensor:
    return plane[..., 1:-1, 1:-1]


def _pair_h(plane: Tensor, step: int) -> Tensor:
    width = plane.shape[-1]
    rows = plane[..., 1:-1, :]
    return rows[..., 1:-1] + rows[..., 1 + step : width - 1 + step]


def _pair_v(plane: Tensor, step: int) -> Tensor:
    return _pair_h(plane.mT, step).mT


def _quad(plane: Tensor, step_v: int, step_h: int) -> Tensor:
    height, width = plane.shape[-2:]
    columns = plane[..., 1:-1] + plane[..., 1 + step_h : width - 1 + step_h]
    return columns[..., 1:-1, :] + columns[..., 1 + step_v : height - 1 + step_v, :]


def _around_h(plane: Tensor) -> Tensor:
    rows = plane[..., 1:-1, :]
    return rows[..., :-2] + rows[..., 2:]


def _around_v(plane: Tensor) -> Tensor:
    return _around_h(plane.mT).mT


def _crop(plane: Tensor, width: int) -> Tensor:
    return plane[..., width:-width, width:-width]


def _at_green(plane: Tensor, step: int) -> tuple[Tensor, Tensor]:
    """Average a red (+1) or blue (-1) plane at the greens beside it in its rows and its columns."""
    return 0.5 * _pair_h(plane, step), 0.5 * _pair_v(plane, step)


def _bilinear(p: Planes) -> Rgb:
    """Average the nearest samples of each colour."""
    red, blue = _bilinear_chroma(p.r, p.b)
    return Rgb(red, _bilinear_green(p), blue)


def _bilinear_green(p: Planes) -> Planes:
    at_r = 0.25 * (_pair_h(p.gr, -1) + _pair_v(p.gb, -1))
    at_b = 0.25 * (_pair_h(p.gb, +1) + _pair_v(p.gr, +1))
    return Planes(at_r, _inner(p.gr), _inner(p.gb), at_b)


def _bilinear_chroma(r: Tensor, b: Tensor) -> tuple[Planes, Planes]:
    red_gr, red_gb = _at_green(r, +1)
    blue_gb, blue_gr = _at_green(b, -1)
    return (
        Planes(_inner(r), red_gr, red_gb, 0.25 * _quad(r, +1, +1)),
        Planes(0.25 * _quad(b, -1, -1), blue_gr, blue_gb, _inner(b)),
    )


_HUE_OFFSET = 0.05


def _smooth_hue(p: Planes) -> Rgb:
    """Interpolate green, then the ratios of red and blue to it (Cok 1987, US patent 4,642,678).

    Deviation: 0.05 is added to both sides of each ratio, so that it stays bounded in the dark.
    """
    green = _bilinear_green(p)
    base = Planes(*(plane.clamp_min(0.0) + _HUE_OFFSET for plane in green))
    red_hue, blue_hue = _bilinear_chroma(
        (_inner(p.r) + _HUE_OFFSET) / base.r, (_inner(p.b) + _HUE_OFFSET) / base.b
    )
    base = Planes(*(_inner(plane) for plane in base))
    red = [hue * level - _HUE_OFFSET for hue, level in zip(red_hue, base, strict=True)]
    blue = [hue * level - _HUE_OFFSET for hue, level in zip(blue_hue, base, strict=True)]
    return Rgb(
        red=Planes(*red)._replace(r=_crop(p.r, 2)),
        green=Planes(*(_inner(plane) for plane in green)),
        blue=Planes(*blue)._replace(b=_crop(p.b, 2)),
    )


def _malvar2004(p: Planes) -> Rgb:
    """Bilinear interpolation corrected by the gradient of the measured colour.

    Malvar, He & Cutler 2004, figure 2: fixed 5x5 filters.
    """
    r, gr, gb, b = (_inner(plane) for plane in p)
    row2 = Planes(*(_around_h(plane) for plane in p))
    column2 = Planes(*(_around_v(plane) for plane in p))
    cross_r = row2.r + column2.r
    cross_b = row2.b + column2.b
    base_gr = 0.625 * gr - 0.125 * _quad(p.gb, -1, +1)
    base_gb = 0.625 * gb - 0.125 * _quad(p.gr, +1, -1)
    along_gr = base_gr - 0.125 * row2.gr + 0.0625 * column2.gr
    across_gr = base_gr - 0.125 * column2.gr + 0.0625 * row2.gr
    along_gb = base_gb - 0.125 * row2.gb + 0.0625 * column2.gb
    across_gb = base_gb - 0.125 * column2.gb + 0.0625 * row2.gb
    green = _bilinear_green(p)
    return Rgb(
        red=Planes(
            r,
            along_gr + 0.5 * _pair_h(p.r, +1),
            across_gb + 0.5 * _pair_v(p.r, +1),
            0.75 * b + 0.25 * _quad(p.r, +1, +1) - 0.1875 * cross_b,
        ),
        green=Planes(
            green.r + 0.5 * r - 0.125 * cross_r, gr, gb, green.b + 0.5 * b - 0.125 * cross_b
        ),
        blue=Planes(
            0.75 * r + 0.25 * _quad(p.b, -1, -1) - 0.1875 * cross_r,
            across_gr + 0.5 * _pair_v(p.b, -1),
            along_gb + 0.5 * _pair_h(p.b, -1),
            b,
        ),
    )


def _directional_green(chroma: Tensor, beside: Tensor, step: int) -> Tensor:
    """Estimate green at red (-1) or blue (+1) sites along rows, from the greens `beside` them."""
    centre = 0.5 * _inner(chroma) - 0.25 * _around_h(chroma)
    return centre + 0.5 * _pair_h(beside, step)


def _hamilton_adams(p: Planes) -> Rgb:
    """Edge-directed green, then bilinear colour differences (Hamilton & Adams 1997).

    After US patent 5,629,734 for green. Deviation: red and blue take plain colour differences.
    """
    at_r = _hamilton_adams_green(p.r, p.gr, p.gb, -1)
    at_b = _hamilton_adams_green(p.b, p.gb, p.gr, +1)
    r, gr, gb, b = (_inner(plane) for plane in p)
    green = Planes(*(_inner(plane) for plane in (at_r, gr, gb, at_b)))
    red_green, blue_green = _bilinear_chroma(r - at_r, b - at_b)
    return Rgb(
        red=Planes(*map(torch.add, green, red_green))._replace(r=_inner(r)),
        green=green,
        blue=Planes(*map(torch.add, green, blue_green))._replace(b=_inner(b)),
    )


def _hamilton_adams_green(chroma: Tensor, beside: Tensor, above: Tensor, step: int) -> Tensor:
    along = _directional_green(chroma, beside, step)
    across = _directional_green(chroma.mT, above.mT, step).mT
    score_h = _gradient_h(chroma, beside, step)
    score_v = _gradient_h(chroma.mT, above.mT, step).mT
    chosen = torch.where(score_h < score_v, along, across)
    return torch.where((score_h - score_v).abs() <= _TIE, 0.5 * (along + across), chosen)


def _gradient_h(chroma: Tensor, beside: Tensor, step: int) -> Tensor:
    slope = 2 * _inner(beside) - _pair_h(beside, step)
    return slope.abs() + (2 * _inner(chroma) - _around_h(chroma)).abs()


def _menon2007(p: Planes) -> Rgb:
    """Directional filtering with a posteriori decision, refined.

    Menon, Andriani & Calvagno 2007, secs. II-IV, written in colour differences. Deviations: the
    direction scores see the mirrored image beyond the border, not zeros; scores closer than `_TIE`
    count as equal, which means horizontal.
    """
    green_r, green_b, rows_r, rows_b = _menon_green(p)
    p = Planes(*(_crop(plane, 2) for plane in p))

    red_green = p.r - green_r  # first estimates, at red and blue sites
    blue_green = p.b - green_b
    red_gr, red_gb = _at_green(red_green, +1)  # red minus green, at green sites
    blue_gb, blue_gr = _at_green(blue_green, -1)
    rows_r, rows_b = _crop(rows_r, 2), _crop(rows_b, 2)
    red_blue_gr, red_blue_gb = red_gr - blue_gr, red_gb - blue_gb
    red_blue_r = 0.5 * _select(rows_r, red_blue_gr, red_blue_gb, -1)
    red_blue_b = 0.5 * _select(rows_b, red_blue_gb, red_blue_gr, +1)

    # Refining: low-pass each difference over three samples in the chosen direction.
    red_green = (_crop(red_green, 2) + _select(rows_r, red_gr, red_gb, -1)) / 3
    blue_green = (_crop(blue_green, 2) + _select(rows_b, blue_gb, blue_gr, +1)) / 3
    red_gr, red_gb = _at_green(red_green, +1)
    blue_gb, blue_gr = _at_green(blue_green, -1)
    rows_r, rows_b = _crop(rows_r, 2), _crop(rows_b, 2)
    red_blue_gr, red_blue_gb = red_gr - blue_gr, red_gb - blue_gb
    red_blue_r = (_crop(red_blue_r, 2) + _select(rows_r, red_blue_gr, red_blue_gb, -1)) / 3
    red_blue_b = (_crop(red_blue_b, 2) + _select(rows_b, red_blue_gb, red_blue_gr, +1)) / 3

    r, gr, gb, b = (_crop(plane, 4) for plane in p)
    return Rgb(
        red=Planes(r, gr + _inner(red_gr), gb + _inner(red_gb), b + red_blue_b),
        green=Planes(r - _crop(red_green, 2), gr, gb, b - _crop(blue_green, 2)),
        blue=Planes(r - red_blue_r, gr + _inner(blue_gr), gb + _inner(blue_gb), b),
    )


def _select(rows: Tensor, beside: Tensor, above: Tensor, step: int) -> Tensor:
    """Sum the two neighbours along the row where `rows` says so, else those along the column."""
    return torch.where(rows, _pair_h(beside, step), _pair_v(above, step))


def _menon_green(p: Planes) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Interpolate green at red and blue sites, and say where along rows."""
    along_r = _directional_green(p.r, p.gr, -1)
    along_b = _directional_green(p.b, p.gb, +1)
    across_r = _directional_green(p.r.mT, p.gb.mT, -1).mT
    across_b = _directional_green(p.b.mT, p.gr.mT, +1).mT
    with torch.no_grad():
        r, b = _inner(p.r), _inner(p.b)
        score_h_r, score_h_b = _menon_scores(r - along_r, b - along_b)
        score_v_r, score_v_b = _menon_scores((r - across_r).mT, (b - across_b).mT)
        rows_r = score_v_r.mT >= score_h_r - _TIE
        rows_b = score_v_b.mT >= score_h_b - _TIE
    green_r = torch.where(rows_r, _inner(along_r), _inner(across_r))
    green_b = torch.where(rows_b, _inner(along_b), _inner(across_b))
    return green_r, green_b, rows_r, rows_b


def _menon_scores(red: Tensor, blue: Tensor) -> tuple[Tensor, Tensor]:
    """Sum the changes of the colour differences along rows in a 5x5 window of each site."""
    change_r = red.diff(dim=-1).abs()
    change_b = blue.diff(dim=-1).abs()
    score_r = _weigh_rows(change_r) + _sum_rows(change_b[..., :-1], -1)
    score_b = _weigh_rows(change_b) + _sum_rows(change_r[..., 1:], +1)
    return score_r, score_b


def _weigh_rows(change: Tensor) -> Tensor:
    pairs = change[..., :-1] + change[..., 1:]
    return 3 * pairs[..., 1:-1, :] + pairs[..., :-2, :] + pairs[..., 2:, :]


def _sum_rows(change: Tensor, step: int) -> Tensor:
    height = change.shape[-2]
    return change[..., 1:-1, :] + change[..., 1 + step : height - 1 + step, :]


METHODS: dict[str, tuple[Callable[[Planes], Rgb], int]] = {
    "bilinear": (_bilinear, 1),
    "smooth-hue": (_smooth_hue, 2),
    "malvar2004": (_malvar2004, 1),
    "hamilton-adams": (_hamilton_adams, 2),
    "menon2007": (_menon2007, 6),
}
"""Each interpolation, with the samples it takes off each side of a plane."""
