"""The peer of bench/ml.mjs: the same candidates on the same splits with Python's xgboost and scikit-learn, one thread.

Takes one JSON argument, prints one JSON line: seconds and mean validation AUC by candidate, and beside them under `start` what the
process took until it could begin.
"""
import json
import sys
import time

import numpy as np
import pyarrow as pa
import xgboost as xgb
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

asked = json.loads(sys.argv[1])


def read():
    with pa.OSFile(asked["features"], "rb") as source:
        table = pa.ipc.open_stream(source).read_all()
    names = [name for name in table.column_names if not name.startswith("_")]
    x = np.column_stack([table[name].to_numpy() for name in names]).astype(np.float32)
    return x, table["_target"].to_numpy(), table["_time"].to_numpy()


def splits(time_of):
    """The holdout is the last share of the distinct times; folds walk forward over what comes before."""
    times = np.unique(time_of)
    start = times[max(1, int(len(times) * (1 - asked["holdout"])))]
    before = times[times < start]
    edges = [round(len(before) * i / (asked["folds"] + 1)) for i in range(asked["folds"] + 2)]
    bounds = list(before) + [start]
    for fold in range(asked["folds"]):
        low, high = bounds[edges[fold + 1]], bounds[edges[fold + 2]]
        yield np.flatnonzero(time_of < low), np.flatnonzero((time_of >= low) & (time_of < high))
    yield np.flatnonzero(time_of < start), None


def fit(kind, parameters, x, y):
    rest = {key: value for key, value in parameters.items() if key not in ("rounds", "trees", "l2")}
    if kind == "linear":
        model = make_pipeline(
            SimpleImputer(strategy="constant", fill_value=0),
            StandardScaler(),
            LogisticRegression(C=1 / parameters["l2"], max_iter=1000),
        )
        model.fit(x, y)
        return lambda rows: model.predict_proba(rows)[:, 1]
    common = {
        "objective": "binary:logistic",
        "seed": asked["seed"],
        "nthread": 1,
        "verbosity": 0,
        "tree_method": "hist",
        **rest,
    }
    rounds = parameters.get("rounds", 1)
    if kind == "forest":
        common |= {"num_parallel_tree": parameters["trees"], "eta": 1}
        rounds = 1
    booster = xgb.train(common, xgb.DMatrix(x, label=y, nthread=1), rounds)
    return lambda rows: booster.predict(xgb.DMatrix(rows, nthread=1))


found = {"start": {"seconds": time.time() - asked["begun"], "cpu": time.process_time()}}
for candidate in asked["candidates"]:
    begun, used = time.perf_counter(), time.process_time()
    x, y, time_of = read()
    scores = []
    for train, test in splits(time_of):
        predict = fit(candidate["kind"], candidate["parameters"], x[train], y[train])
        if test is not None:
            scores.append(roc_auc_score(y[test], predict(x[test])))
    found[candidate["name"]] = {
        "seconds": time.perf_counter() - begun,
        "cpu": time.process_time() - used,
        "auc": float(np.mean(scores)),
    }
print(json.dumps(found))
