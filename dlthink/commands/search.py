"""Search settings by Optuna: trials on validation, each the mean over its seeds; the best one's test at the end.

dlthink search [trials=20] [into=FOLDER] WORDS OF TRAIN...

  trials   how many; those that lie in `into` already count
  into     the folder of the search, a run or a sweep for each trial; without, outputs/search/DATE/TIME. The same
           command with the same folder goes on after a stop

Among the words of `dlthink train`, these are searched over:

  optim.lr='interval(1e-4,1e-2)'          any number between; of 10 times or more, by its logarithm
  model.width='int(interval(16,128))'     a whole number
  model.depth='range(1,5)' loss=mse,huber one of several

Several values of seed or data.fold are no search: each trial is trained with all of them, and its figure is their mean:
the one that picks the best checkpoint, on validation. Runs side by side: hydra/launcher=joblib. Source of the search:
Bergstra et al. 2011, Algorithms for Hyper-Parameter Optimization (TPE), as in Optuna.
"""


def main(words: list[str]) -> int:
    if not words or "--help" in words or "-h" in words:
        print(__doc__)
        return 0
    from dlthink.config import command_line
    from dlthink.errors import BadInput
    from dlthink.runs.search import Search, searched

    names = {"trials": "20", "into": ""}
    own = {word.partition("=")[0]: word.partition("=")[2] for word in words if word.partition("=")[0] in names}
    given = names | own
    if not given["trials"].isdecimal() or not 1 <= int(given["trials"]) <= 100_000:
        raise BadInput(f"trials={given['trials']}: must be a whole number of at least 1")
    rest = [word for word in words if word.partition("=")[0] not in names]
    if flag := next((word for word in rest if word.startswith("-")), None):
        raise BadInput(f"{flag}: flags are of dlthink train; a search has none")
    _, overrides = command_line.read(["-m", *rest])
    return Search(*searched(overrides), given["into"]).run(int(given["trials"]))
