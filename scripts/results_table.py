"""Numbers of finished runs as a table in Markdown, each row with the command that made it, for docs/results/*.md.

python scripts/results_table.py FOLDER... [--numbers mae,crps] [--split test] [--over seed,data.fold] [--digits 4]
                                [--to best]

FOLDER    runs, or folders that hold some, as in `dlthink compare`
numbers   what to show; without, what `dlthink compare` would, at most six
over      settings that only repeat a run: a row for each group, with every value, their mean and its standard error
to        a group, as `dlthink compare` calls it, or best: rows are called so, too, best first, with means and standard
          errors alone, and the last column is the difference to that group by the first number, and what it says
"""

import argparse
import math
from pathlib import Path

from dlthink.runs import stored_files
from dlthink.runs.compare import comparison, verdict
from dlthink.runs.compare.comparison import Comparison, Estimate, Finished
from dlthink.runs.compare.comparison_table import digits
from dlthink.runs.compare.ranking import Ranking

MOST = 6  # columns, where nobody says which


def table(runs: list[Finished], numbers: list[str], over: tuple[str, ...], digits: int = 4) -> str:
    """A row for each group of runs that only `over` tells apart."""
    groups = [list(group.values()) for group in Comparison(runs, over).groups.values()]
    rows = [[f"`{command(group, over)}`", *(cell(group, name, digits) for name in numbers)] for group in groups]
    head = ["command", *(f"`{name}`" for name in numbers)]
    return "\n".join(f"| {' | '.join(row)} |" for row in [head, ["---"] * len(head), *rows])


def differences(runs: list[Finished], numbers: list[str], over: tuple[str, ...], to: str, split: str) -> str:
    """A row for each group, best first, with its difference to the group `to` by the first number."""
    compared = Comparison(runs, over)
    labels, scores = compared.labels(), comparison.scores(runs)
    reference = None if to == "best" else labels.index(to)
    ranking = Ranking.of(
        compared, numbers[0], comparison.direction(numbers[0], scores), reference, items=split == "test"
    )
    said = {label: f"{interval}, {words}".strip(", ") for label, interval, words in verdict.rows(ranking, labels)}
    estimates = {name: compared.estimates(name) for name in numbers}
    rows = [["runs", *(f"`{name}`" for name in numbers), f"minus that of {labels[ranking.reference]}"]]
    rows += [["---"] * len(rows[0])]
    for place in ranking.order:
        means = ["".join(digits(estimates[name][place])) for name in numbers]
        rows.append([labels[place], *means, said.get(labels[place], "")])
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def command(group: list[Finished], over: tuple[str, ...]) -> str:
    """What one would type to make all runs of a group again; settings of Hydra's own are left out."""
    said = [stored_files.provenance(run.folder / "provenance.json")["command"][2:] for run in group]
    words = dict.fromkeys(word.partition("=")[0] for word in said[0] if not word.startswith("hydra."))
    values = {
        key: list(
            dict.fromkeys(word.partition("=")[2] for words in said for word in words if word.startswith(f"{key}="))
        )
        for key in words
    }
    several = any(len(values[key]) > 1 for key in over if key in values)
    typed = [f"{key}={','.join(some)}" for key, some in values.items()]
    return " ".join(["dlthink train", *(["-m"] if several else []), *typed])


def cell(group: list[Finished], name: str, digits: int) -> str:
    """Each value, then their mean and its standard error where there are several."""
    values = [run.numbers.get(name, math.nan) for run in group]
    each = " ".join(f"{value:.{digits}g}" for value in values)
    if len(values) == 1:
        return each
    whole = Estimate.of(values)
    return f"{each}, mean {whole.mean:.{digits}g} (SE {whole.error:.2g})"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", nargs="+", type=Path)
    parser.add_argument("--numbers", default="")
    parser.add_argument("--split", default="test", choices=("test", "val"))
    parser.add_argument("--over", default="seed,data.fold")
    parser.add_argument("--digits", default=4, type=int)
    parser.add_argument("--to", default="")
    given = parser.parse_args()
    runs, _ = comparison.find(given.folders, given.split)
    if not runs:
        parser.error("no finished run there")
    numbers = [name for name in given.numbers.split(",") if name] or comparison.shared(runs)[:MOST]
    over = tuple(key for key in given.over.split(",") if key)
    if given.to not in ("", "best", *(labels := Comparison(runs, over).labels())):
        parser.error(f"--to {given.to}: no group is called so; they are: {', '.join(labels)}")
    if given.to:
        print(differences(runs, numbers, over, given.to, given.split))
    else:
        print(table(runs, numbers, over, given.digits))


if __name__ == "__main__":
    main()
