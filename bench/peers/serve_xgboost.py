"""The peer of bench/predictions.mjs: the same model served by FastAPI, uvicorn and Python's xgboost, one process, one thread.

Arguments: the model (model.json) and a port.
"""
import sys
import uuid

import numpy as np
import uvicorn
import xgboost as xgb
from fastapi import FastAPI
from pydantic import BaseModel

booster = xgb.Booster(params={"nthread": 1}, model_file=sys.argv[1])
names = booster.feature_names
app = FastAPI()


class Asked(BaseModel):
    model: str
    rows: list[dict[str, float | None]]


@app.post("/predict")
async def predict(asked: Asked):
    x = np.array([[np.nan if row[name] is None else row[name] for name in names] for row in asked.rows], dtype=np.float32)
    said = booster.inplace_predict(x, validate_features=False)
    return {
        "id": str(uuid.uuid4()),
        "model": asked.model,
        "version": "1",
        "predictions": [{"prediction": float(value)} for value in said],
    }


uvicorn.run(app, host="127.0.0.1", port=int(sys.argv[2]), access_log=False, log_level="warning")
