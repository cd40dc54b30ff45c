"""The figures of `camobench perf` as tables: ratios first, then where the time goes."""

from __future__ import annotations

import json

from bench.perf.session import Performance
from bench.report.plain import render_rows
from bench.types import Json


def performance_tables(found: Performance, format_: str) -> str:
    """All tables as "md", "csv" or "tex", or all figures as "json"."""
    if format_ == "json":
        return json.dumps(found.as_json(), indent=2)
    tables = [_summary(found)]
    if found.stages is not None:
        tables.append([stage.row() for stage in found.stages])
    if found.memory is not None:
        tables.append(
            [{name: _short(value) for name, value in row.items()} for row in found.memory]
        )
    if found.scaling is not None:
        tables.append(
            [
                {
                    "cost against": law.axis,
                    "from": law.smallest,
                    "to": law.largest,
                    "seconds": f"{law.seconds_smallest:.2f} to {law.seconds_largest:.2f}",
                    "exponent": _short(law.exponent),
                }
                for law in found.laws
            ]
        )
    return "\n\n".join(render_rows(table, format_) for table in tables)


def _summary(found: Performance) -> list[dict[str, Json]]:
    rows: list[tuple[str, str]] = [
        ("device", f"{found.machine['device_name']}, {found.machine['cores']} cores"),
        ("matrix products, fp32", f"{found.peaks.fp32_gflops:.0f} GFLOP/s"),
        ("matrix products, bf16", f"{found.peaks.bf16_gflops:.0f} GFLOP/s"),
        ("copies", f"{found.peaks.copy_gb_s:.1f} GB/s"),
    ]
    end = found.end_to_end
    if end is not None:
        load = end.load
        rows += [
            (
                "load",
                f"{load.transforms} transforms of {load.image_px} px on {len(load.victims)} "
                f"victims, {end.cost.gflop_per_transform:.0f} GFLOP each",
            ),
            ("reference loop", f"{end.reference_s_per_transform:.3f} s a transform"),
        ]
        for name in ("fp32", "mixed"):
            rows.append(
                (
                    f"runner, {name}",
                    f"{end.seconds_per_transform(name):.3f} s a transform: {end.ratio(name):.1f} "
                    f"times the reference, {100 * end.fraction_of_peak(name):.0f} % of the bf16 "
                    "peak",
                )
            )
        mixed = end.runner["mixed"]
        beyond = mixed.peak_memory_gib - mixed.networks_gib
        rows.append(
            (
                "peak memory",
                f"{mixed.peak_memory_gib:.2f} GiB, {beyond:.2f} of it beyond the networks",
            )
        )
    if found.agreement is not None:
        share, count = 100 * found.agreement.share, len(found.agreement.exact)
        rows.append(("bf16 against fp32", f"{share:.3f} % of {count} predictions agree"))
    for what, training in (
        ("training, full width", found.training),
        ("training, recipe mini", found.narrow_training),
    ):
        if training is not None:
            rows.append(
                (
                    what,
                    f"{training.ratio_over_dataloader:.1f} times a DataLoader loop "
                    f"({training.ours.whole:.0f} to {training.loop.whole:.0f} patches/s; the data "
                    f"path alone {training.ratio_data:.0f} times)",
                )
            )
    if found.incremental is not None:
        more = found.incremental
        of = f"of filling {more.attacks} attacks x {more.victims} victims"
        rows += [
            ("one more victim", f"{100 * more.column_share:.0f} % {of}"),
            ("the same, on kept images", f"{100 * more.column_kept_share:.0f} %"),
            ("one more attack", f"{100 * more.row_share:.0f} %"),
        ]
    return [{"what": what, "measured": measured} for what, measured in rows]


def _short(value: float) -> Json:
    return round(value, 2) if isinstance(value, float) else value
