"""Options that several verbs take."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, TypeAlias

import click

from bench.execute import AUTO_EXECUTOR, EXECUTORS

FOLDER = click.Path(path_type=Path, file_okay=False)
FOUND_FOLDER = click.Path(path_type=Path, file_okay=False, exists=True)
FILE = click.Path(path_type=Path, dir_okay=False)
FORMATS = click.Choice(["md", "csv", "tex", "json"])
FOLDER_OPTIONS, SHARED = "camobench.folder-options", "camobench.shared"
"""Where a context keeps the options of a suite of photographs, and those of `shared`."""
Command: TypeAlias = Callable[..., None]


def _keep(context: click.Context, parameter: click.Parameter, value: Any) -> None:
    context.meta.setdefault(SHARED, {})[parameter.name] = value


shared_option = partial(click.option, expose_value=False, callback=_keep)
"""An option that is read by `shared`, where it is needed, and no argument of its verb."""


def shared(name: str) -> Any:
    """What the verb was given for a `shared_option`; `None` if it has none of that name."""
    return click.get_current_context().meta.get(SHARED, {}).get(name)


class Continuing(click.Command):
    """A verb that keeps what it has done: the same command again goes on from there."""

    def invoke(self, ctx: click.Context) -> object:
        """Run it.

        Raises:
            ContinuedLater: If it is interrupted.
        """
        try:
            return super().invoke(ctx)
        except (KeyboardInterrupt, click.Abort) as error:
            raise ContinuedLater from error


class ContinuedLater(BaseException):
    """A verb was interrupted that keeps what it has done."""


run_argument = click.argument("directory", type=FOUND_FOLDER)
images_argument = click.argument("images", nargs=-1, required=True, type=FILE)
store_option = shared_option(
    "--store",
    type=FOLDER,
    help="Where data, checkpoints and predictions are kept [$CAMOBENCH_STORE, else user data].",
)
out_option = click.option(
    "--out",
    type=FOLDER,
    default=Path("camobench-out"),
    show_default=True,
    help="Where predictions, tables and the report go.",
)
device_option = shared_option("--device", default="auto", help="cpu, cuda, mps, or auto.")
workers_option = click.option(
    "--workers", type=click.IntRange(min=0), default=0, help="Processes side by side; 0 chooses."
)
executor_option = click.option(
    "--executor",
    type=click.Choice([AUTO_EXECUTOR, *EXECUTORS]),
    default=AUTO_EXECUTOR,
    show_default=True,
    help="Run in this process, in workers that a plug-in cannot take along, or on a Ray cluster.",
)
address_option = click.option(
    "--address", default="", help="Of the Ray cluster [$RAY_ADDRESS, else this machine]."
)
plugin_option = shared_option(
    "--plugin",
    "plugins",
    multiple=True,
    metavar="FILE.py:CLASS",
    help="A class of the run that does not ship; repeatable.",
)
recipe_option = click.option("--recipe", default="mini", show_default=True, help="Training budget.")
front_end_option = click.option(
    "--front-end",
    help="img, pef, wdf, hpf or fd, before a backbone such as timm:convnext_tiny [img].",
)
seed_option = click.option("--seed", type=int, default=0, show_default=True)
from_scratch_option = click.option(
    "--from-scratch", is_flag=True, help="Do not use the shipped networks."
)
format_option = shared_option(
    "--format", "format_", type=FORMATS, default="md", show_default=True, help="Of the table."
)
quiet_option = shared_option("--quiet", is_flag=True, help="No progress.")
suite_option = click.option(
    "--suite", default="simcam-mini-v2", show_default=True, help="A name, or folder:DIR."
)


def several(*options: Callable[[Command], Command]) -> Callable[[Command], Command]:
    """Options that go together, as one."""

    def decorate(command: Command) -> Command:
        for option in reversed(options):
            command = option(command)
        return command

    return decorate


network_options = several(
    recipe_option,
    store_option,
    device_option,
    workers_option,
    seed_option,
    from_scratch_option,
)
"""Of a matrix's networks; `make_request` takes them by their names."""


def _keep_folder_option(context: click.Context, parameter: click.Parameter, value: Any) -> None:
    if value is not None and value is not False:
        context.meta.setdefault(FOLDER_OPTIONS, {})[parameter.name] = value


_folder_option = partial(click.option, expose_value=False, callback=_keep_folder_option)
folder_options = several(
    _folder_option("--image-px", type=int, help="Side of a folder suite's tiles."),
    _folder_option("--tiles", "tiles_per_photo", type=int, help="Tiles a photograph."),
    _folder_option("--classes", help="In-distribution models, separated by commas."),
    _folder_option("--skip-bad", is_flag=True, help="Leave unusable photographs out."),
    _folder_option("--layout", help="How a folder names its files: vision, tree ... [found out]."),
    _folder_option(
        "--real",
        type=FOLDER,
        help="folder:DIR: photographs of other models, a split of their own.",
    ),
    _folder_option(
        "--root",
        type=FOLDER,
        help="dresden-v1: your copy of the Dresden images; not needed once prepared.",
    ),
    _folder_option("--partial", is_flag=True, help="dresden-v1: make do with an incomplete copy."),
)
"""Of suites of real photographs; `make_source` hands them over. Other values make another suite."""
