"""Finished runs side by side: mean +- standard error of every metric over seeds and folds.

dlthink compare [FOLDER ...] [split=test] [metrics=NAME,NAME] [over=seed,data.fold] [output=FILE.csv]

  FOLDER   runs, or folders that hold some; latest: the newest run; without any, the newest sweep in outputs/multirun
  split    test or val
  metrics  what to show; without, the metric that picked the best checkpoint and as many others as fit
  over     the settings that only repeat a run; what else differs tells the groups apart. over= repeats nothing
  output   write all of it as CSV, too

n counts the finished runs of a group; the standard error is sd / sqrt(n), with n - 1 in the sd. Folds share training
samples, so over folds it may be too small. nan: in at least one of the runs it is not a number. Of two groups, the runs
that have seed and fold in common are also compared pair by pair.
"""

import math
import sys
from pathlib import Path

WIDE = 120  # columns of a terminal
NAMES = {"split": "test", "metrics": None, "over": None, "output": None}


def main(words: list[str]) -> int:
    if "--help" in words or "-h" in words:
        print(__doc__)
        return 0
    from dlthink.closest import hint
    from dlthink.errors import BadInput, plain
    from dlthink.runs import comparison

    given, folders = _parse(words)
    runs, unfinished = comparison.find(folders, given["split"])
    left_out = f"{unfinished} not finished" if unfinished else ""
    if not runs:
        where = ", ".join(map(str, folders))
        raise BadInput(f"{where}: no finished run in it{left_out and f' ({left_out})'}")
    over = ["seed", "data.fold"] if given["over"] is None else [key for key in given["over"].split(",") if key]
    settings = comparison.every_setting(runs)
    for key in over if given["over"] else ():
        if not any(comparison.below(setting, [key]) for setting in settings):
            raise BadInput(f"over={key}: no run has such a setting{hint(key, settings)}")
    names = _names(given["metrics"], runs)
    compared = comparison.Comparison(runs, over)
    if compared.repeats:
        again = f"{compared.repeats} with the very settings of a newer one"
        left_out = f"{left_out}, {again}" if left_out else again
    if left_out:
        print(f"dlthink: runs left out: {left_out}", file=sys.stderr)
    for label, group in zip(compared.labels(), compared.groups.values(), strict=True):
        if differ := comparison.uneven(group.values()):
            print(plain(f"dlthink: {label}: {differ}"), file=sys.stderr)
    if given["output"]:
        _write(given["output"], compared, names)
    columns = [_column(name, compared.estimates(name)) for name in names]
    fit = len(names) if given["metrics"] else _fit(columns, compared)
    print(plain(_table(given["split"], compared, columns[:fit])))
    if fit < len(names):
        print(plain(f"{len(names) - fit} more: metrics={','.join(names[fit:])}"))
    if pairs := compared.pairs(names[0]):
        print(plain(_paired(names[0], pairs, compared.labels(), comparison.best(runs))))
    return 0


def _parse(words: list[str]) -> tuple[dict, list[Path]]:
    """The named words, and the folders: what has no name, or is there although it looks as if it had one."""
    from dlthink.config.words import checked, file_to_write, parse
    from dlthink.errors import BadInput
    from dlthink.runs.comparison import SWEEPS, sweeps
    from dlthink.runs.latest import run_folder

    for word in words:
        if not word.strip() or "=" in word:
            checked(word, "split=test")
    named = [w for w in words if w.partition("=")[0] in NAMES or ("=" in w and not Path(w).expanduser().is_dir())]
    given, settings = parse([word for word in named if "=" in word], NAMES)
    if settings:
        raise BadInput(f"{settings[0]}: neither a folder nor a word here; those are {', '.join(NAMES)}")
    if given["split"] not in ("test", "val"):
        raise BadInput(f"split={given['split']}: must be test or val")
    if given["output"] is not None:
        given["output"] = file_to_write("output", given["output"], ".csv")
    folders = [run_folder(word) for word in words if word not in named or "=" not in word]
    if not folders:
        begun = (folder for _, folder in reversed(sweeps(SWEEPS)) if any(folder.rglob("config.yaml")))
        newest = next(begun, None)
        if newest is None:
            raise BadInput(f"{SWEEPS}: there is no sweep here; give the folders of runs")
        folders = [newest]
        print(f"{folders[0]}:")
    return given, folders


def _names(asked: str | None, runs: list) -> list[str]:
    """The metrics that were asked for, else those that all runs have."""
    from dlthink.closest import hint
    from dlthink.errors import BadInput
    from dlthink.runs.comparison import shared

    known = dict.fromkeys(name for run in runs for name in run.numbers)
    names = list(dict.fromkeys(filter(None, (asked or "").split(",")))) or shared(runs)
    for name in names:
        if name not in known:
            raise BadInput(f"metrics={name}: there is no such metric in these runs{hint(name, known)}")
    if not names:
        raise BadInput("these runs have no metric in common: compare runs of one kind of data, or give metrics=NAME")
    return names


def _digits(estimate) -> tuple[str, str]:
    """Mean and standard error as text: two digits of the error, the mean to the same place."""
    mean, error = estimate.mean, estimate.error
    if error is None or math.isnan(mean):
        return f"{mean:.6g}", ""
    place = 1 - math.floor(math.log10(error)) if 0 < error < math.inf else -1
    if not 0 <= place <= 9 or abs(mean) >= 1e7:
        return f"{mean:.6g}", f" +- {error:.2g}"
    return f"{mean:.{place}f}", f" +- {error:.{place}f}"


def _column(name: str, estimates: list) -> list[str]:
    """A heading and its cells, equally wide, the signs below each other."""
    pairs = [_digits(estimate) for estimate in estimates]
    left, right = (max(map(len, texts)) for texts in zip(*pairs, strict=True))
    cells = [f"{mean:>{left}}{error:<{right}}" for mean, error in pairs]
    wide = max(len(name), left + right)
    return [f"{text:>{wide}}" for text in (name, *cells)]


def _fit(columns: list[list[str]], compared) -> int:
    """How many columns a terminal has room for; one at least."""
    used, fit = max(map(len, compared.labels())) + 5, 0
    for column in columns:
        used += 2 + len(column[0])
        if used > WIDE:
            break
        fit += 1
    return max(1, fit)


def _table(split: str, compared, columns: list[list[str]]) -> str:
    first = [split, *compared.labels()]
    counts = ["n", *(str(len(group)) for group in compared.groups.values())]
    wide, narrow = max(map(len, first)), max(3, *map(len, counts))
    rows = zip(first, counts, *columns, strict=True)
    return "\n".join(f"{row[0]:<{wide}}  {row[1]:>{narrow}}  {'  '.join(row[2:])}".rstrip() for row in rows)


def _paired(name: str, pairs: list[tuple[float, float]], labels: list[str], best: tuple) -> str:
    """The difference of two groups, pair by pair; which of both is better only where the runs say what better is."""
    from dlthink.runs.comparison import Estimate

    mean, error = _digits(Estimate.of(a - b for a, b in pairs))
    word, sign = ("better", 1 if best[1] == "max" else -1) if name == best[0] else ("higher", 1)
    count, same = sum(sign * a > sign * b for a, b in pairs), sum(a == b for a, b in pairs)
    equal = f", equal in {same}" if same else ""
    return f"{name}, {labels[0]} minus {labels[1]}: {mean}{error}; {word} in {count} of {len(pairs)} pairs{equal}"


def _write(path: Path, compared, names: list[str]) -> None:
    """A row for each group: its settings, n, and each metric with its standard error."""
    import csv

    from dlthink.files.atomic import atomic

    estimates = [compared.estimates(name) for name in names]
    with atomic(str(path)) as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow([*compared.keys, "n", *(column for name in names for column in (name, f"{name}_se"))])
        for i, (values, group) in enumerate(compared.groups.items()):
            numbers = [number for one in estimates for number in (one[i].mean, one[i].error)]
            writer.writerow([*values, len(group), *numbers])
