"""NGBoost on one split of one table, in an environment of its own: python ngboost_fit.py TABLE.csv.gz SPLIT [ROUNDS]

TABLE: columns x0, ..., y, split_0, ... with "train" or "test". A normal distribution; the number of rounds is what a
fifth of training says, with a patience of 50; then all of training is fitted again. NGBoost's own learning rate, 0.01,
and at most 2,000 rounds; where training is more than 50,000 numbers, 0.1 and 1,000, which go further in half the time;
ROUNDS for fewer. The answer is a line of JSON: test NLL and RMSE, rounds, CPU and wall seconds, and versions.
"""

import json
import sys
import time
from importlib.metadata import version

import numpy as np
import pandas
from ngboost import NGBRegressor
from sklearn.model_selection import train_test_split

frame = pandas.read_csv(sys.argv[1])
train = (frame[f"split_{sys.argv[2]}"] == "train").to_numpy()
x, y = frame.filter(regex=r"^x\d+$").to_numpy(), frame["y"].to_numpy()
rate, rounds = (0.01, 2000) if x[train].size <= 50_000 else (0.1, 1000)
rounds = min([rounds, *map(int, sys.argv[3:])])
began, wall = time.process_time(), time.perf_counter()
part, held, part_y, held_y = train_test_split(x[train], y[train], test_size=0.2, random_state=0)
how = {"learning_rate": rate, "random_state": 0, "verbose": False}
model = NGBRegressor(n_estimators=rounds, **how)
model.fit(part, part_y, X_val=held, Y_val=held_y, early_stopping_rounds=50)
rounds = model.best_val_loss_itr + 1
said = NGBRegressor(n_estimators=rounds, **how).fit(x[train], y[train]).pred_dist(x[~train])
answer = {
    "nll": float(-said.logpdf(y[~train]).mean()),
    "rmse": float(np.sqrt(np.mean((said.loc - y[~train]) ** 2))),
    "rounds": rounds,
    "cpu_seconds": time.process_time() - began,
    "wall_seconds": time.perf_counter() - wall,
    "versions": f"ngboost {version('ngboost')}, scikit-learn {version('scikit-learn')}, numpy {version('numpy')}",
}
print(json.dumps(answer))
