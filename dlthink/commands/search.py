"""Search settings by Optuna: trials on validation, means over seeds; the best one's test at the end.

dlthink search [trials=20] [into=FOLDER] WORDS OF TRAIN...

  trials   how many; those that lie in `into` already count
  into     the folder of the search, a run or a sweep for each trial; without,
           outputs/search/DATE/TIME. The same command with the same folder goes on after a stop

Among the words of `dlthink train`, these are searched over:

  optim.lr='interval(1e-4,1e-2)'          any number between; of 10 times or more, by its logarithm
  model.width='int(interval(16,128))'     a whole number
  model.depth='range(1,5)' loss=mse,huber one of several

Several values of seed or data.fold are no search: each trial is trained with all of them, and its
figure is their mean: the one that picks the best checkpoint, on validation. Runs side by side:
hydra/launcher=joblib. Source of the search: Bergstra et al. 2011, Algorithms for Hyper-Parameter
Optimization (TPE), as in Optuna.
"""

import importlib.util
import time

FOLDER = "outputs/search/%Y-%m-%d/%H-%M-%S"
MOST = 100_000  # trials


def main(words: list[str]) -> int:
    if not words or "--help" in words or "-h" in words:
        print(__doc__)
        return 0
    from dlthink.commands import train
    from dlthink.config import command_line
    from dlthink.config.arguments import folder_to_write, own_words, whole_number
    from dlthink.config.sweep import check_choices
    from dlthink.errors import BadInput
    from dlthink.runs.search import Search
    from dlthink.runs.search_space import Space

    given, rest = own_words(words, {"trials": "20", "into": time.strftime(FOLDER)})
    trials, folder = whole_number("trials", given["trials"], MOST), folder_to_write("into", given["into"])
    if flag := next((word for word in rest if word.startswith("-")), None):
        raise BadInput(f"{flag}: flags are of dlthink train; a search has none")
    if importlib.util.find_spec("optuna") is None:
        raise BadInput('dlthink search needs optuna: pip install "dlthink[search]"')
    overrides = command_line.read(["-m", *rest])[1]
    search = Search(Space.of(overrides), folder, train.main)
    check_choices(overrides)  # otherwise the trial that is refused would end it in its middle
    return search.run(trials)
