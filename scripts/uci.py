"""The nine UCI tables by one recipe, `experiment=uci`, on the published splits of Hernandez-Lobato & Adams (2015).

python scripts/uci.py FOLDER [--tables boston,...] [--splits 0,1,...] [--into outputs/uci] [--ngboost PYTHON]
                             [words of dlthink train]

FOLDER holds boston.csv.gz, ...: columns x0, ..., y, and split_0, ... with "train" or "test". Each run is a line, and
RESULT.json in --into, by which a second call goes on. With --ngboost, the Python of an environment that has NGBoost
(pip install ngboost==0.6.0), the same splits by scripts/benchmarks/ngboost_fit.py. Then a table in Markdown of all that
lie there: mean and standard error over splits, beside the published figures of MC dropout, those of NGBoost and
scikit-learn's boosting on the same splits, and the share of test targets inside their 90 % intervals: nominal, and
with the spread of validation (calibrate=conformal). The best log likelihood of a row is bold. Then on how many tables
ours is better than each.
"""

import argparse
import json
import subprocess
import time
from pathlib import Path

import dlthink
from dlthink.config import build
from dlthink.runs.compare.comparison import Estimate
from dlthink.training import evaluation

# MC dropout, one hidden layer of 50, over all 20 splits: (RMSE, its SE), (log likelihood, its SE); yaringal/
# DropoutUncertaintyExps, readme of 2018; None: not given there
PUBLISHED = {
    "boston": ((2.90, 0.18), (-2.40, 0.04)),
    "concrete": ((4.82, 0.16), (-2.93, 0.02)),
    "energy": ((0.54, 0.06), (-1.21, 0.01)),
    "kin8nm": ((0.08, 0.00), (1.14, 0.01)),
    "naval": ((0.00, 0.00), (4.45, 0.00)),
    "power": ((4.01, 0.04), (-2.80, 0.01)),
    "protein": ((4.27, 0.02), (-2.87, 0.00)),
    "wine": ((0.62, 0.01), (-0.93, 0.01)),
    "yacht": ((0.67, 0.05), (-1.25, 0.01)),
}
OPPONENTS = ("MC dropout", "NGBoost", "boosting")
DIGITS = {"kin8nm": 4, "naval": 5}  # of an RMSE; 2 of others
NUMBERS = ("nll", "rmse", "coverage_90", "nll_boosting", "rmse_boosting")


def run(file: Path, split: int, into: Path, words: list[str]) -> dict:
    """Train and examine; the numbers of test, and the coverage of conformal intervals by the same network."""
    began, wall = time.process_time(), time.perf_counter()
    typed = ["experiment=uci", f"data.path={file}", f"data.split=split_{split}", "data.baselines=[boosting]", *words]
    experiment = dlthink.compose(*typed)
    experiment.metrics.figures = lambda *_: {}  # nobody looks at so many
    done = experiment.fit(into)
    test, val = done.metrics(), done.metrics("val")
    wider = build.build({**experiment.config.loss, "calibrate": "conformal"}, **done.data.facts)
    wider.prepare(done.data.train.targets())
    asked = {}
    for name in ("val", "test"):  # validation first: on it the cost fits its intervals
        part = getattr(done.data, name)
        batches = evaluation.batches_of(part, 4096, experiment.trainer.precision.device)
        fitted = None if name == "val" else {}
        answers = evaluation.examine(done.model, wider, experiment.metrics, part, batches, fitted).answers
        asked[name] = experiment.metrics.numbers(*answers)["coverage_90"]
    return {
        **{name: test[name] for name in NUMBERS},
        "coverage_90_conformal": asked["test"],
        **{f"val_{name}": val[name] for name in NUMBERS[:3]},
        "rows": len(done.data.test),
        "cpu_seconds": time.process_time() - began,
        "wall_seconds": time.perf_counter() - wall,
    }


def by_ngboost(python: str, file: Path, split: int) -> dict:
    """NGBoost's numbers of test on the same split, by the Python of its own environment."""
    command = [python, Path(__file__).parent / "benchmarks" / "ngboost_fit.py", file, str(split)]
    return json.loads(subprocess.run(command, check=True, text=True, stdout=subprocess.PIPE).stdout)


Compared = tuple[list[Estimate | None], list[Estimate | None]]


def found_in(into: Path) -> dict[str, list[dict]]:
    """The results of each table that lie in a folder, with NGBoost's of the same split where they lie there, too."""
    found: dict[str, list[dict]] = {}
    for file in sorted(into.rglob("RESULT.json")):
        result = json.loads(file.read_text())
        peer = into / result["table"] / f"ngboost_{result['split']}.json"
        theirs = json.loads(peer.read_text()) if peer.exists() else {}
        result |= {f"{key}_ngboost": theirs[key] for key in theirs if key in ("nll", "rmse")}
        found.setdefault(result["table"], []).append(result)
    return found


def compared(name: str, runs: list[dict]) -> Compared:
    """Log likelihood and RMSE, ours and those of OPPONENTS; None where nobody has measured one."""

    def mean(key: str, sign: int = 1) -> Estimate | None:
        known = [sign * each[key] for each in runs if key in each]
        return Estimate.of(known) if known else None

    rmse, likelihood = (Estimate(*pair, 0) for pair in PUBLISHED[name])
    return (
        [mean("nll", -1), likelihood, mean("nll_ngboost", -1), mean("nll_boosting", -1)],
        [mean("rmse"), rmse, mean("rmse_ngboost"), mean("rmse_boosting")],
    )


def table(found: dict[str, list[dict]]) -> str:
    """A row for each table: ours and OPPONENTS; then what all rows of all tests are covered by."""
    head = ["table", "splits", "log likelihood", *OPPONENTS, "RMSE", *OPPONENTS, "inside 90 %", "conformal"]
    rows = []
    for name, runs in sorted(found.items()):
        likelihoods, errors = compared(name, runs)
        best = max(value.mean for value in likelihoods if value)
        cells = [shown(value, 2, bold=value is not None and value.mean == best) for value in likelihoods]
        digits = DIGITS.get(name, 2)
        cells += [shown(value, n) for value, n in zip(errors, (digits, 2, digits, digits), strict=True)]
        for key in ("coverage_90", "coverage_90_conformal"):
            cells.append(f"{Estimate.of(each[key] for each in runs).mean:.3f}")
        rows.append([name, str(len(runs)), *cells])
    for name, weight in (("all rows", lambda each: each["rows"]), ("all tables alike", lambda each: 1 / each["runs"])):
        every = [each | {"runs": len(runs)} for runs in found.values() for each in runs]
        total = sum(map(weight, every))
        shares = [
            sum(weight(each) * each[key] for each in every) / total for key in ("coverage_90", "coverage_90_conformal")
        ]
        rows.append([name, str(len(every)), *[""] * 8, *(f"{share:.3f}" for share in shares)])
    return "\n".join(f"| {' | '.join(row)} |" for row in [head, ["---"] * len(head), *rows])


def counts(found: dict[str, list[dict]]) -> str:
    """For each opponent: on how many tables ours is better, on which not, on which worse by more than 2 SE.

    The SE is that of the difference, and unknown for a single split of ours. An RMSE counts as good within 1 SE of MC
    dropout's, at the two digits in which that is published.
    """
    lines, all_of_them = [], {name: compared(name, runs) for name, runs in sorted(found.items())}
    for place, opponent in enumerate(OPPONENTS, 1):
        pairs = {name: (both[0][0], both[0][place]) for name, both in all_of_them.items() if both[0][place]}
        worse = [name for name, (ours, theirs) in pairs.items() if ours.mean <= theirs.mean]
        known = [name for name in worse if pairs[name][0].error is not None]
        far = [name for name in known if pairs[name][1].mean - pairs[name][0].mean > 2 * apart(*pairs[name])]
        lines.append(
            f"log likelihood better than that of {opponent} on {len(pairs) - len(worse)} of {len(pairs)}; "
            f"not: {', '.join(worse) or 'none'}; worse by more than 2 SE: {', '.join(far) or 'none'}"
        )
    pairs = {name: both[1][:2] for name, both in all_of_them.items()}
    far = [name for name, (ours, theirs) in pairs.items() if round(ours.mean, 2) > theirs.mean + apart(ours, theirs)]
    lines.append(
        f"RMSE better than that of MC dropout or within 1 SE on {len(pairs) - len(far)} of {len(pairs)}; "
        f"not: {', '.join(far) or 'none'}"
    )
    return "\n".join(f"- {line}" for line in lines)


def apart(one: Estimate, other: Estimate) -> float:
    """The standard error of the difference of two means, as far as theirs are known."""
    return ((one.error or 0) ** 2 + (other.error or 0) ** 2) ** 0.5


def shown(value: Estimate | None, digits: int, bold: bool = False) -> str:
    """Mean +- standard error."""
    if value is None:
        return ""
    mean = f"**{value.mean:.{digits}f}**" if bold else f"{value.mean:.{digits}f}"
    return mean if value.error is None else f"{mean} +- {value.error:.{digits}f}"


def keep(file: Path, result: dict, table: str, split: int, who: str = "") -> None:
    """Write a result, and say it in a line."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(result | {"table": table, "split": split}) + "\n")
    numbers = ", ".join(f"{key} {value:.4g}" for key, value in result.items() if isinstance(value, int | float))
    print(f"{table} split {split}{who}: {numbers}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--tables", default=",".join(PUBLISHED))
    parser.add_argument("--splits", default="0,1,2,3,4")
    parser.add_argument("--into", type=Path, default=Path("outputs/uci"))
    parser.add_argument("--ngboost", metavar="PYTHON")
    given, words = parser.parse_known_args()
    for split in map(int, given.splits.split(",")):  # of all tables one split, then the next
        for name in given.tables.split(","):
            file, into = given.folder / f"{name}.csv.gz", given.into / name / f"split_{split}"
            if not (into / "RESULT.json").exists():
                if into.exists():
                    into = into.with_name(f"{into.name}_{int(time.time())}")  # one that was stopped is left alone
                keep(into / "RESULT.json", run(file, split, into, words), name, split)
            peer = given.into / name / f"ngboost_{split}.json"
            if given.ngboost and not peer.exists():
                keep(peer, by_ngboost(given.ngboost, file, split), name, split, ", NGBoost")
    found = found_in(given.into)
    print(f"\n{table(found)}\n\n{counts(found)}")


if __name__ == "__main__":
    main()
