"""Finished runs side by side, best first: which is right, and how sure that is.

dlthink compare [FOLDER ...] [split=test] [metrics=NAME,NAME] [sort=NAME] [to=GROUP]
                [over=seed,data.fold] [x=SETTING] [y=NAME] [across=data,data.path] [output=FILE]
                [figure=FILE]

  FOLDER   runs, or folders that hold some; latest: the newest run; without any, the newest sweep in
           outputs/multirun
  split    test or val
  metrics  what to show; without, the scores of the examination, proper ones first, and as many
           others as fit
  sort     the metric to rank by; without, the first one shown
  to       the group that others are compared with, as its row is called (loss=mse, or mse);
           without, the best one
  over     the settings that only repeat a run; what else differs tells the groups apart. over=
           repeats nothing
  x, y     instead of the table: the metric y along a setting, x=data.fraction, a curve for each
           group, and how many times as much of it a group needs for what the best one (or `to`)
           reaches, each with a 95 % interval of its own
  across   the settings that tell data sets apart: costs are ranked on each, and their mean ranks
           compared (Friedman, Nemenyi's critical difference in words and picture; with `to`, Holm);
           without, data and data.path do, where two costs or more were trained on three. Targets of
           one table are one data set: a cost has its mean rank on them. across= ranks nothing, and
           compares even groups on different data
  output   write it, too: FILE.csv (all digits), FILE.md (a table in Markdown with the answer
           below), or a picture: FILE.png, FILE.svg, FILE.pdf
  figure   a picture beside what `output` writes

The table has mean +- standard error of every metric; n counts the finished runs of a group, the
error is sd / sqrt(n). An arrow says whether more or less is better. nan: in at least one of the
runs it is not a number. Rows "baseline" are what one could have predicted otherwise: a constant, a
linear model, boosted trees, a look-up. The last line predicts with the best group, by that run of
it that is best on validation.

Differences are paired: by repetition (seed, fold), and by item (stretch of time, molecule, row,
person) where the runs keep the scores of single items. Who picks the best of many has picked luck,
too. So p values and 95 % intervals are corrected for all pairs of groups (with `to`, for those with
that group) by Holm's steps. Without 0 in its interval, p < 0.05, a difference is "beyond doubt": in
95 of 100 comparisons none is called so that is none. Folds share training samples, so over folds an
interval may be too narrow.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from dlthink.did_you_mean import hint
from dlthink.errors import BadInput, plain

if TYPE_CHECKING:
    from dlthink.runs.compare.answer import Answer
    from dlthink.runs.compare.comparison import Comparison, Finished

NAMES = {
    "split": "test",
    "metrics": None,
    "sort": None,
    "to": None,
    "over": None,
    "output": None,
    "figure": None,
    "x": None,
    "y": None,
    "across": None,
}


def main(words: list[str]) -> int:
    if "--help" in words or "-h" in words:
        print(__doc__)
        return 0
    from dlthink.runs.compare import comparison
    from dlthink.runs.compare.answer import save

    given, folders = _parse(words)
    paths = _files(given)
    runs, left_out = _find(folders or [_newest()], given["split"])
    compared = comparison.Comparison(runs, _over(given["over"], runs))
    if compared.repeats:
        left_out.append(f"{compared.repeats} with the very settings of a newer one")
    answer = _answer(given, compared, runs)
    if left_out:
        print(plain(f"dlthink: runs left out: {', '.join(left_out)}"), file=sys.stderr)
    for label, group in zip(compared.labels(), compared.groups.values(), strict=True):
        if differ := comparison.uneven(group.values()):
            print(plain(f"dlthink: {label}: {differ}"), file=sys.stderr)
    print(plain("\n".join(answer.lines())))
    for path in paths:
        save(answer, path)
    return 0


def _files(given: dict) -> list[Path]:
    """The files to be written, tables or pictures by their endings. Raises BadInput where that cannot be."""
    from dlthink.config.arguments import file_to_write
    from dlthink.runs.compare.answer import PICTURES, TABLES

    kinds = {"output": (*TABLES, *PICTURES), "figure": PICTURES}
    return [file_to_write(name, given[name], *ends) for name, ends in kinds.items() if given[name] is not None]


def _answer(given: dict, compared: Comparison, runs: list[Finished]) -> Answer:
    """Ranks over data sets, curves along a setting, or a table: what was asked for, or what these runs are fit for."""
    from dlthink.runs.compare import comparison, critical_difference
    from dlthink.runs.compare.comparison_table import Table
    from dlthink.runs.compare.curve import Curves, best_at_the_end, curves

    data_sets = _across(given, compared)
    if data_sets:
        if other := next((name for name in ("x", "sort") if given[name]), None):
            raise BadInput(
                f"{other}={given[other]}: is for runs of one data set; with across= (nothing) they count as such"
            )
        ranks = critical_difference.across(compared, data_sets, _split(given["metrics"]))
        ranks.reference = _reference(given["to"], ranks.groups)
        return ranks
    names, ways = _shown(given, runs), comparison.directions(runs)
    if given["x"]:
        some, better = curves(compared, given["x"], names[0]), comparison.direction(names[0], ways)
        asked = _reference(given["to"], [one.label for one in some])
        return Curves(some, given["x"], names[0], better, best_at_the_end(some, better) if asked is None else asked)
    data = (*critical_difference.DATA_SETS, *critical_difference.TARGET) if given["across"] is None else ()
    other_data = [key for key in compared.keys if key in data]
    reference = _reference(given["to"], compared.labels())
    return Table(compared, given["split"], names, bool(given["metrics"]), ways, reference, other_data)


def _across(given: dict, compared: Comparison) -> list[str]:
    """The settings that tell data sets apart, where costs are to be ranked on several."""
    from dlthink.runs.compare import critical_difference

    asked = given["across"]
    keys = [key for key in (critical_difference.DATA_SETS if asked is None else _split(asked)) if key in compared.keys]
    if asked and not keys:
        differ = ", ".join(compared.keys) or "nothing"
        raise BadInput(
            f"across={asked}: is the same in all of these runs, or only repeats them (over=); they differ in {differ}"
        )
    if asked is None and (given["x"] or not critical_difference.enough(compared, keys)):
        return []
    return keys


def _split(text: str | None) -> list[str]:
    """Words with commas between them, each once."""
    return list(dict.fromkeys(word for word in (text or "").split(",") if word))


def _parse(words: list[str]) -> tuple[dict[str, str | None], list[Path]]:
    """The named words, and the folders: what has no name, or is there although it looks as if it had one."""
    from dlthink.config.arguments import checked, one_of, parse
    from dlthink.runs.latest import run_folder

    for word in words:
        if not word.strip() or "=" in word:
            checked(word, "split=test")
    named = [w for w in words if w.partition("=")[0] in NAMES or ("=" in w and not Path(w).expanduser().is_dir())]
    for word in named:
        name, _, value = word.partition("=")
        if name in ("run", "runs", "folder"):
            raise BadInput(f"{word}: folders stand alone here: dlthink compare {value}")
        if name not in NAMES:
            near = hint(name, NAMES) if "." not in name else f"; those are {', '.join(NAMES)}"
            raise BadInput(f"{word}: neither a folder nor a word here{near}")
    given, _ = parse([word for word in named if "=" in word], NAMES)
    one_of("split", given["split"], "test", "val")
    if given["y"] and not given["x"]:
        raise BadInput(f"y={given['y']}: is a metric along a setting; name that, too: x=data.fraction")
    if given["x"] and (other := next((name for name in ("metrics", "sort") if given[name]), None)):
        raise BadInput(f"{other}={given[other]}: a curve is of one metric, y={given[other]}")
    folders = [run_folder(word) for word in words if word not in named or "=" not in word]
    return given, folders


def _newest() -> Path:
    """The folder of the newest sweep, which is said. Raises BadInput where there is none."""
    from dlthink.runs.compare.comparison import SWEEPS, sweeps

    begun = (folder for _, folder in reversed(sweeps(SWEEPS)) if any(folder.rglob("config.yaml")))
    newest = next(begun, None)
    if newest is None:
        raise BadInput(f"{SWEEPS}: there is no sweep here; name folders that hold runs, dlthink compare outputs")
    print(plain(f"{newest}:"))
    return newest


def _find(folders: list[Path], split: str) -> tuple[list, list[str]]:
    """The finished runs, and what was left out."""
    from dlthink.runs.compare import comparison

    runs, unfinished = comparison.find(folders, split)
    left_out = [f"{unfinished} not finished"] if unfinished else []
    if not runs:
        where = ", ".join(map(str, folders))
        raise BadInput(f"{where}: no finished run in it{''.join(f' ({why})' for why in left_out)}")
    return runs, left_out


def _over(given: str | None, runs: list) -> list[str]:
    """The settings that only repeat a run."""
    from dlthink.runs.compare import comparison

    over = ["seed", "data.fold"] if given is None else _split(given)
    settings = comparison.every_setting(runs)
    for key in over if given else ():
        if not any(comparison.below(setting, [key]) for setting in settings):
            raise BadInput(f"over={key}: no run has such a setting{hint(key, settings)}")
    return over


def _shown(given: dict, runs: list) -> list[str]:
    """The metrics to show, the one to rank by first."""
    names = _names(given["y"] or given["metrics"], runs, "y" if given["y"] else "metrics")
    if given["sort"]:
        names = [*_names(given["sort"], runs, "sort"), *(name for name in names if name != given["sort"])]
    return names


def _names(asked: str | None, runs: list, word: str = "metrics") -> list[str]:
    """The metrics that were asked for, else those that all runs have."""
    from dlthink.runs.compare.comparison import shared

    known = dict.fromkeys(name for run in runs for name in run.numbers)
    names = _split(asked) or shared(runs)
    for name in names:
        if name not in known:
            raise BadInput(f"{word}={name}: there is no such metric in these runs{hint(name, known)}")
    if not names:
        raise BadInput("these runs have no metric in common: compare runs of one kind of data, or give metrics=NAME")
    return names


def _reference(asked: str | None, labels: list[str]) -> int | None:
    """The place of the group called so, or whose name alone has this setting, or this value of one, in it."""
    if asked is None:
        return None
    found = [i for i, label in enumerate(labels) if label == asked]
    found = found or [i for i, label in enumerate(labels) if asked in label.split()]
    found = found or [i for i, label in enumerate(labels) if f"={asked}" in re.findall(r"=\S*", label)]
    if len(found) != 1:
        if found:
            raise BadInput(f"to={asked}: several groups have it; they are: {', '.join(labels[i] for i in found)}")
        raise BadInput(f"to={asked}: no group is called so{hint(asked, labels)}")
    return found[0]
