"""What all pages of a board share: names of pages, links to files, the template environment."""

import json
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jinja2 import Environment

from bench.report.leaderboard.boards import Board
from bench.report.leaderboard.charts import FIDELITIES
from bench.report.leaderboard.heat import level, number
from bench.report.leaderboard.links import Files
from bench.report.leaderboard.merging import Source
from bench.report.leaderboard.shares import Shares, build_shares
from bench.report.leaderboard.slugs import slugs
from bench.report.leaderboard.standing import VIEWS, Standing, Standings
from bench.report.leaderboard.survival import SurvivalChart, build_survival
from bench.report.leaderboard.tables import mean_text, rank_text, scored_text
from bench.report.page import page_environment
from bench.report.values import plain
from bench.types import SPLITS

VIEW_TITLES = {
    f"{measure}-{split}": f"{measure.upper()} {SPLITS[split]}" for measure, split in VIEWS
}


@dataclass(frozen=True, kw_only=True)
class Context:
    """One board and how its pages are called.

    Attributes:
        attack_slug: Attack name to that of its page, and likewise `victim_slug`.
    """

    standings: Standings
    files: Files
    attack_slug: dict[str, str]
    victim_slug: dict[str, str]
    shares: tuple[Shares, ...]
    survival: tuple[SurvivalChart, ...]
    survival_notes: tuple[str, ...]

    @property
    def board(self) -> Board:
        """The board."""
        return self.standings.board

    @property
    def splits(self) -> tuple[str, ...]:
        """The splits that have rows."""
        return tuple(self.standings.by_split)

    @property
    def views(self) -> tuple[str, ...]:
        """Rates and splits that can be shown, such as "tasr-in"."""
        return tuple(f"{measure}-{split}" for measure, split in VIEWS if split in self.splits)

    def standing(self, attack: str, split: str) -> Standing:
        """One attack in one split."""
        return next(s for s in self.standings.by_split[split] if s.attack.name == attack)

    def pictures(self, wanted: dict[str, str]) -> list[tuple[str, str]]:
        """Address and caption of each picture that a folder of the board has, the base's first."""
        found = []
        for name, caption in wanted.items():
            for folder, directory in self._folders():
                if (directory / name).is_file():
                    found.append((self.files.link(self.board, folder, directory / name), caption))
                    break
        return found

    def source_links(self, source: Source) -> list[tuple[str, str]]:
        """Name and address of the files behind an attack's rows."""
        entry = f"entry-{source.entry['attack']['name']}.json"
        return [
            (name, self.files.link(self.board, source.folder, source.directory / name))
            for name in (entry, "predictions.parquet", "distortion.parquet")
        ]

    def more(self) -> list[tuple[str, str]]:
        """Name and address of further tables of the base folder."""
        base = self.board.submissions[0]
        paths = [base.run.directory / name for name in ("claims.md", "victims.md", "survival.md")]
        return [
            (path.name, self.files.link(self.board, base.name, path))
            for path in paths
            if path.is_file()
        ]

    def shared(self) -> dict[str, Any]:
        """What the template of every page of the board sees."""
        return {
            "root": "../",
            "board": self.board,
            "run": self.board.run,
            "standings": self.standings,
            "views": self.views,
            "attack_slug": self.attack_slug,
            "victim_slug": self.victim_slug,
        }

    def _folders(self) -> Iterator[tuple[str, Path]]:
        for one in self.board.submissions:
            yield one.name, one.run.directory


def make_context(standings: Standings, files: Files) -> Context:
    """The context of a board's pages."""
    attacks = [attack.name for attack in standings.board.run.attacks]
    victims = [victim.name for victim in standings.board.run.victims]
    survival, notes = build_survival(standings.board)
    return Context(
        standings=standings,
        files=files,
        attack_slug=dict(zip(attacks, slugs(attacks), strict=True)),
        victim_slug=dict(zip(victims, slugs(victims), strict=True)),
        shares=build_shares(standings),
        survival=survival,
        survival_notes=notes,
    )


def site_environment() -> Environment:
    """The pages' Jinja, with the filters of the leaderboard."""
    environment = page_environment()
    environment.filters |= {
        "level": level,
        "number": number,
        "plain": lambda value, digits: plain(value, digits=digits),
        "pretty": lambda value: json.dumps(value, indent=1, sort_keys=True, ensure_ascii=False),
        "rank": rank_text,
        "scored": scored_text,
        "sh": lambda text: shlex.quote(str(text)),
        "short": lambda text: str(text)[:12],
    }
    environment.globals |= {
        "FIDELITIES": FIDELITIES,
        "VIEW_TITLES": VIEW_TITLES,
        "WHERE": SPLITS,
        "mean_text": mean_text,
    }
    return environment
