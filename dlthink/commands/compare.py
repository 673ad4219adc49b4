"""Finished runs side by side, best first: which is right, and how sure that is.

dlthink compare [FOLDER ...] [split=test] [metrics=NAME,NAME] [sort=NAME] [to=GROUP] [over=seed,data.fold]
                [x=SETTING] [y=NAME] [across=data,data.path] [output=FILE] [figure=FILE]

  FOLDER   runs, or folders that hold some; latest: the newest run; without any, the newest sweep in outputs/multirun
  split    test or val
  metrics  what to show; without, the scores of the examination, proper ones first, and as many others as fit
  sort     the metric to rank by; without, the first one shown
  to       the group that others are compared with, as its row is called (loss=mse); without, the best one
  over     the settings that only repeat a run; what else differs tells the groups apart. over= repeats nothing
  x, y     instead of the table: the metric y along a setting, x=data.fraction, a curve for each group, and how many
           times as much of it a group needs for what the best one (or `to`) reaches
  across   the settings that tell data sets apart: costs are ranked on each, and their mean ranks compared (Friedman,
           Holm, Nemenyi's critical difference in the picture); without, data, data.path and data.target do, where two
           costs or more were trained on three of them; across= ranks nothing
  output   write it, too: FILE.csv (all digits), FILE.md (a table in Markdown with the answer below), or a picture:
           FILE.png, FILE.svg, FILE.pdf
  figure   a picture beside what `output` writes

The table has mean +- standard error of every metric; n counts the finished runs of a group, the error is sd / sqrt(n).
An arrow says whether more or less is better. nan: in at least one of the runs it is not a number.

Differences are paired: by repetition (seed, fold), and by item (stretch of time, molecule, row, person) where the runs
keep the scores of single items. Intervals hold the true difference 95 times in 100; "beyond doubt" is p < 0.05 after
Holm's correction for all pairs of groups (with `to`, for those with that group). Folds share training samples, so over
folds an interval may be too narrow.
"""

import sys
from pathlib import Path

WIDE = 120  # columns of a terminal
DATA_SETS = ("data", "data.path", "data.target")
TABLES, PICTURES = (".csv", ".md"), (".png", ".svg", ".pdf")
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
    from dlthink.arrows import arrow
    from dlthink.errors import plain
    from dlthink.runs import comparison, comparison_table
    from dlthink.runs.ranking import Ranking

    given, folders = _parse(words)
    runs, left_out = _find(folders, given["split"])
    compared = comparison.Comparison(runs, _over(given["over"], runs))
    if compared.repeats:
        left_out.append(f"{compared.repeats} with the very settings of a newer one")
    several = _across(given, compared)
    names = [] if several else _shown(given, runs)
    if left_out:
        print(f"dlthink: runs left out: {', '.join(left_out)}", file=sys.stderr)
    if several:
        return _ranks(compared, several, given)
    labels, scores = compared.labels(), comparison.scores(runs)
    for label, group in zip(labels, compared.groups.values(), strict=True):
        if differ := comparison.uneven(group.values()):
            print(plain(f"dlthink: {label}: {differ}"), file=sys.stderr)
    if given["x"]:
        return _along(compared, given, names[0], comparison.direction(names[0], scores))
    better, reference = comparison.direction(names[0], scores), _reference(given["to"], labels)
    ranking = Ranking.of(compared, names[0], better, reference, given["split"] == "test") if len(labels) > 1 else None
    order = ranking.order if ranking else list(range(len(labels)))
    counts = [len(group) for group in compared.groups.values()]

    estimates = {name: compared.estimates(name) for name in names}
    headings = {name: f"{name} {arrow(comparison.direction(name, scores))}".rstrip() for name in names}
    columns = [comparison_table.column(headings[n], [estimates[n][place] for place in order]) for n in names]
    rows = [labels[place] for place in order], [counts[place] for place in order]
    fit = len(names) if given["metrics"] else comparison_table.fitting(columns, labels, WIDE)
    print(plain(comparison_table.aligned(given["split"], *rows, columns[:fit])))
    if fit < len(names):
        print(plain(f"{len(names) - fit} more: metrics={','.join(names[fit:])}"))
    answer = _answer(ranking, compared, labels, scores) if ranking else []
    print(plain("\n".join(["", *answer] if answer else [])), end="\n" if answer else "")
    pictured = names if given["metrics"] else names[:1]
    for path in filter(None, (given["output"], given["figure"])):
        if path.suffix.lower() in PICTURES:
            _draw(path, compared, ranking, pictured, labels, scores)
        else:
            _write(path, given["split"], rows, columns, answer, compared, order, names, ranking)
    return 0


def _along(compared, given: dict, y: str, better: str | None) -> int:
    """A metric along a setting."""
    from dlthink.errors import plain
    from dlthink.files.atomic import atomic
    from dlthink.runs import curve

    some = curve.curves(compared, given["x"], y)
    labels = [one.label for one in some]
    reference = _reference(given["to"], labels)
    for one in some:
        points = ", ".join(f"{x:g}: {at.mean:.6g} ({at.runs})" for x, at in zip(one.x, one.band(), strict=True))
        print(plain(f"{one.label}  {y} at {given['x']} (runs)  {points}"))
    if better is not None and len(some) > 1:
        reference = curve.best_at_the_end(some, better) if reference is None else reference
        others = [one for one in some if one is not some[reference]]
        print(plain("\n".join(["", *(curve.sentence(some[reference], other, better, y) for other in others)])))
    for path in filter(None, (given["output"], given["figure"])):
        if path.suffix.lower() in PICTURES:
            from dlthink.runs.curve_figure import figure

            _save(path, figure(some, reference or 0, given["x"], y, better))
        else:
            with atomic(str(path)) as file:
                curve.write_csv(file, some, given["x"], y)
    return 0


def _across(given: dict, compared) -> list[str]:
    """The settings that tell data sets apart, where costs are to be ranked on several."""
    from dlthink.errors import BadInput
    from dlthink.runs import critical_difference

    asked = given["across"]
    keys = [key for key in (DATA_SETS if asked is None else asked.split(",")) if key in compared.keys]
    if asked and not keys:
        raise BadInput(f"across={asked}: is the same in all of these runs; they differ in {', '.join(compared.keys)}")
    if asked is None and (given["x"] or not critical_difference.enough(compared, keys)):
        return []
    return keys


def _ranks(compared, keys: list[str], given: dict) -> int:
    """Groups ranked on each of several data sets."""
    from dlthink.errors import BadInput, plain
    from dlthink.files.atomic import atomic
    from dlthink.runs import critical_difference

    if other := next((name for name in ("x", "sort") if given[name]), None):
        raise BadInput(
            f"{other}={given[other]}: is for runs of one data set; with across= (nothing) they count as such"
        )
    found = critical_difference.across(compared, keys, list(filter(None, (given["metrics"] or "").split(","))))
    said = critical_difference.lines(found, _reference(given["to"], found.groups))
    print(plain("\n".join(said)))
    for path in filter(None, (given["output"], given["figure"])):
        if path.suffix.lower() in PICTURES:
            from dlthink.runs.critical_difference_figure import figure

            _save(path, figure(found))
        else:
            with atomic(str(path)) as file:
                critical_difference.write_csv(file, found)
    return 0


def _answer(ranking, compared, labels: list[str], scores: dict[str, str]) -> list[str]:
    """Differences to the reference, and what they say."""
    from dlthink.runs import verdict

    rows = verdict.rows(ranking, labels)
    wide = [max(len(row[k]) for row in rows) for k in (0, 1)]
    lines = [f"{ranking.name}, difference to {labels[ranking.reference]}, {verdict.basis(ranking)}:"]
    lines += [f"  {label:<{wide[0]}}  {interval:<{wide[1]}}  {said}".rstrip() for label, interval, said in rows]
    return [*lines, *ranking.notes, *verdict.sentences(ranking, compared, labels, scores)]


def _parse(words: list[str]) -> tuple[dict, list[Path]]:
    """The named words, and the folders: what has no name, or is there although it looks as if it had one."""
    from dlthink.config.arguments import checked, file_to_write, parse
    from dlthink.did_you_mean import hint
    from dlthink.errors import BadInput
    from dlthink.runs.comparison import SWEEPS, sweeps
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
    if given["split"] not in ("test", "val"):
        raise BadInput(f"split={given['split']}: must be test or val")
    if given["y"] and not given["x"]:
        raise BadInput(f"y={given['y']}: is a metric along a setting; name that, too: x=data.fraction")
    if given["x"] and (other := next((name for name in ("metrics", "sort") if given[name]), None)):
        raise BadInput(f"{other}={given[other]}: a curve is of one metric, y={given[other]}")
    tables = TABLES[:1] if given["x"] or given["across"] else TABLES
    for name, endings in ("output", (*tables, *PICTURES)), ("figure", PICTURES):
        if given[name] is not None:
            given[name] = file_to_write(name, given[name], *endings)
    folders = [run_folder(word) for word in words if word not in named or "=" not in word]
    if not folders:
        begun = (folder for _, folder in reversed(sweeps(SWEEPS)) if any(folder.rglob("config.yaml")))
        newest = next(begun, None)
        if newest is None:
            raise BadInput(f"{SWEEPS}: there is no sweep here; name folders that hold runs, dlthink compare outputs")
        folders = [newest]
        print(f"{folders[0]}:")
    return given, folders


def _find(folders: list[Path], split: str) -> tuple[list, list[str]]:
    """The finished runs, and what was left out."""
    from dlthink.errors import BadInput
    from dlthink.runs import comparison

    runs, unfinished = comparison.find(folders, split)
    left_out = [f"{unfinished} not finished"] if unfinished else []
    if not runs:
        where = ", ".join(map(str, folders))
        raise BadInput(f"{where}: no finished run in it{''.join(f' ({why})' for why in left_out)}")
    return runs, left_out


def _over(given: str | None, runs: list) -> list[str]:
    """The settings that only repeat a run."""
    from dlthink.did_you_mean import hint
    from dlthink.errors import BadInput
    from dlthink.runs import comparison

    over = ["seed", "data.fold"] if given is None else [key for key in given.split(",") if key]
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
    from dlthink.did_you_mean import hint
    from dlthink.errors import BadInput
    from dlthink.runs.comparison import shared

    known = dict.fromkeys(name for run in runs for name in run.numbers)
    names = list(dict.fromkeys(filter(None, (asked or "").split(",")))) or shared(runs)
    for name in names:
        if name not in known:
            raise BadInput(f"{word}={name}: there is no such metric in these runs{hint(name, known)}")
    if not names:
        raise BadInput("these runs have no metric in common: compare runs of one kind of data, or give metrics=NAME")
    return names


def _reference(asked: str | None, labels: list[str]) -> int | None:
    """The place of the group called so, or whose name alone has this in it."""
    from dlthink.did_you_mean import hint
    from dlthink.errors import BadInput

    if asked is None:
        return None
    found = [i for i, label in enumerate(labels) if label == asked]
    found = found or [i for i, label in enumerate(labels) if asked in label.split()]
    if len(found) != 1:
        which = "no group is called so" if not found else "several groups have it"
        raise BadInput(f"to={asked}: {which}{hint(asked, labels)}; they are: {', '.join(labels)}")
    return found[0]


def _write(path: Path, split: str, rows, columns, answer: list[str], compared, order, names, ranking) -> None:
    from dlthink.files.atomic import atomic
    from dlthink.runs.comparison_table import markdown, write_csv

    with atomic(str(path)) as file:
        if path.suffix.lower() == ".md":
            file.write(markdown(split, *rows, columns) + "\n" + "".join(f"\n{line}\n" for line in answer))
        else:
            write_csv(file, compared, order, names, ranking)


def _draw(path: Path, compared, ranking, names: list[str], labels: list[str], scores: dict[str, str]) -> None:
    """Raises BadInput where there is nothing to see."""
    from dlthink.errors import BadInput

    if ranking is None:
        raise BadInput(f"{path}: these runs are one group, which has no picture; name runs that differ, or over=")
    from dlthink.runs.comparison_figure import figure

    _save(path, figure(compared, ranking, names, labels, scores))


def _save(path: Path, drawn) -> None:
    from dlthink.files.atomic import atomic

    with atomic(str(path), binary=True) as file:
        drawn.savefig(file, format=path.suffix.lower()[1:], dpi=150)
