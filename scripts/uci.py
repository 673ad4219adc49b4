"""The nine UCI tables by one recipe, `experiment=uci`, on the published splits of Hernandez-Lobato & Adams (2015).

python scripts/uci.py FOLDER [--tables boston,...] [--splits 0,1,...] [--into outputs/uci] [words of dlthink train]

FOLDER holds boston.csv.gz, ...: columns x0, ..., y, and split_0, ... with "train" or "test". Each run is a line, and
RESULT.json in --into, by which a second call goes on. Then a table in Markdown of all that lie there: mean and standard
error over splits, beside the published figures of MC dropout and scikit-learn's boosting on the same splits, and the
share of test targets inside their 90 % intervals: nominal, and with the spread of validation (calibrate=conformal).
"""

import argparse
import json
import math
import time
from pathlib import Path

import dlthink
from dlthink.config import build
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
NUMBERS = ("nll", "rmse", "coverage_90", "nll_boosting", "rmse_boosting")


def run(file: Path, split: int, into: Path, words: list[str]) -> dict:
    """Train and examine; the numbers of test, and the coverage of conformal intervals by the same network."""
    began = time.process_time()
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
    }


def table(found: dict[str, list[dict]]) -> str:
    """A row for each table: ours, MC dropout's, boosting's; then what all rows of all tests are covered by."""
    head = ["table", "splits", "log likelihood", "MC dropout", "boosting", "RMSE", "MC dropout", "boosting"]
    head += ["inside 90 %", "conformal"]
    rows = []
    for name, runs in sorted(found.items()):
        published = [f"{value:.2f} +- {error:.2f}" for value, error in reversed(PUBLISHED[name])]
        rmse = 4 if name == "naval" else 3 if name == "kin8nm" else 2
        cells = [name, str(len(runs)), of(runs, "nll", 2, -1), published[0], of(runs, "nll_boosting", 2, -1)]
        cells += [of(runs, "rmse", rmse), published[1], of(runs, "rmse_boosting", rmse)]
        rows.append([*cells, of(runs, "coverage_90", 3), of(runs, "coverage_90_conformal", 3)])
    for name, weight in (("all rows", lambda each: each["rows"]), ("all tables alike", lambda each: 1 / each["runs"])):
        every = [each | {"runs": len(runs)} for runs in found.values() for each in runs]
        total = sum(map(weight, every))
        shares = [
            sum(weight(each) * each[key] for each in every) / total for key in ("coverage_90", "coverage_90_conformal")
        ]
        rows.append([name, str(len(every)), *[""] * 6, *(f"{share:.3f}" for share in shares)])
    return "\n".join(f"| {' | '.join(row)} |" for row in [head, ["---"] * len(head), *rows])


def of(runs: list[dict], key: str, digits: int, sign: int = 1) -> str:
    """Mean +- standard error."""
    values = [sign * each[key] for each in runs]
    mean = sum(values) / len(values)
    if len(values) == 1:
        return f"{mean:.{digits}f}"
    error = math.sqrt(sum((value - mean) ** 2 for value in values) / (len(values) - 1) / len(values))
    return f"{mean:.{digits}f} +- {error:.{digits}f}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--tables", default=",".join(PUBLISHED))
    parser.add_argument("--splits", default="0,1,2,3,4")
    parser.add_argument("--into", type=Path, default=Path("outputs/uci"))
    given, words = parser.parse_known_args()
    for split in given.splits.split(","):  # of all tables one split, then the next
        for name in given.tables.split(","):
            into = given.into / name / f"split_{split}"
            if (into / "RESULT.json").exists():
                continue
            if into.exists():
                into = into.with_name(f"{into.name}_{int(time.time())}")  # one that was stopped is left alone
            result = run(given.folder / f"{name}.csv.gz", int(split), into, words)
            (into / "RESULT.json").write_text(json.dumps(result | {"table": name, "split": int(split)}) + "\n")
            shown = {key: f"{value:.4g}" for key, value in result.items()}
            print(f"{name} split {split}: {', '.join(f'{key} {value}' for key, value in shown.items())}", flush=True)
    found: dict[str, list[dict]] = {}
    for file in sorted(given.into.rglob("RESULT.json")):
        found.setdefault((result := json.loads(file.read_text()))["table"], []).append(result)
    print(f"\n{table(found)}")


if __name__ == "__main__":
    main()
