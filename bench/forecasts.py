"""Forecasts of four real panels against what a user would pick instead, under one protocol.

    .venv/bin/python bench/forecasts.py [--shared ../shared] [--quick] [--panel uci] [--forecaster blend]

Panels and protocol are no part of the project: `bench/forecast/score.py` and `anchors.csv` of a folder beside it, named
by `--shared` or RESTOCK_BENCH_SHARED. Each panel is written as HISTORY.csv, read and walked through as
`restock evaluate forecasts` does it. `--quick` (or `--short`) takes 60 items of each panel, whose figures are not
comparable with the anchors. Without the folder the short form draws a panel of its own, and sets the forecaster
beside simple ones. The last line is one JSON object.
"""

import argparse
import csv
import importlib.util
import json
import os
import sys
import tempfile
import time
import warnings
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

import msgspec
import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from agents.forecasting.base import Forecaster
from agents.forecasting.error_measures import measure
from agents.forecasting.registry import FORECASTERS
from agents.simulation.closed_loop import DemandHistory
from agents.simulation.demand import DemandModel, Promotion
from agents.simulation.history_file import read_history
from agents.simulation.walk import rhythm_of, walk
from agents.worker.process_memory import collect_garbage_seldom
from schemas.quantities import DAY_MS

HORIZONS = {"uci": 6, "uci_rest": 6, "pasta": 7, "carparts": 3}
TARGETS = {
    "uci": (0.93, 0.95, 0.99, 0.99),
    "uci_rest": (0.93, 0.90, 0.95, 0.95),
    "pasta": (0.76, 0.66, 1.01, 1.03),
    "carparts": (0.87, 0.93, 1.06, 1.11),
}
"""sPL and NV95 over the best per-item batch method's, and over the better LightGBM's."""
CELLS = ("sPL / batch", "NV95 / batch", "sPL / LightGBM", "NV95 / LightGBM")
QUICK_ITEMS = 60
BLOB_EVERY = 97


class Cell(NamedTuple):
    """One thing to be reached."""

    name: str
    value: float
    target: str
    reached: bool


class Walked(NamedTuple):
    """What a walk gave: means and quantiles by the panel's order of items, and what it took."""

    means: Any
    quantiles: Any
    microseconds: float
    bytes_of_item: int
    bytes_shared: int


def main() -> int:
    """Walk through every panel, print every cell beside its anchor."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    beside = Path(__file__).resolve().parents[2] / "shared"
    parser.add_argument("--shared", type=Path, default=Path(os.environ.get("RESTOCK_BENCH_SHARED", beside)))
    parser.add_argument("--quick", "--short", action="store_true", help="a few items of each panel")
    parser.add_argument("--panel", action="append", choices=sorted(HORIZONS))
    parser.add_argument("--horizon", type=int, help="instead of each panel's main one: 1")
    parser.add_argument("--forecaster", default="blend", choices=sorted(FORECASTERS))
    args = parser.parse_args()
    collect_garbage_seldom()  # as the worker does, whose cost is measured here
    folder = args.shared / "bench" / "forecast"
    missing = [needed for needed in (folder / "score.py", folder / "anchors.csv") if not needed.is_file()]
    if missing and args.quick:
        print(f"no panels at {folder}: a drawn one instead")
        print(json.dumps(_drawn(args.forecaster)))
        return 0
    if missing:
        print(f"{missing[0]} is missing: name the folder of panels with --shared", file=sys.stderr)
        return 2
    score, anchors = _module(folder / "score.py"), _anchors(folder / "anchors.csv")
    figures: dict[str, Any] = {"forecaster": args.forecaster, "quick": args.quick, "panels": {}}
    for name in args.panel or HORIZONS:
        panel = score.load(name)
        horizon = args.horizon or HORIZONS[name]
        panel.horizons = (horizon,)
        if args.quick:
            _cut(panel)
        figures["panels"][name] = _report(score, panel, horizon, args.forecaster, anchors)
    cells = [cell for found in figures["panels"].values() for cell in found["cells"].values()]
    figures["reached"] = f"{sum(cell['reached'] for cell in cells)}/{len(cells)}"
    print(json.dumps(figures))
    return 0


def _report(score: ModuleType, panel: Any, horizon: int, forecaster: str, anchors: Mapping[Any, Any]) -> dict[str, Any]:
    walked = _walk(panel, horizon, forecaster)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # the protocol's, for items too young to be scaled
        row = score.evaluate(panel, {horizon: walked.means}, {horizon: walked.quantiles}).iloc[0]
    found: dict[str, Any] = {key: round(float(value), 4) for key, value in row.items() if key not in ("data", "H")}
    found |= {
        "horizon": horizon,
        "microseconds": round(walked.microseconds, 1),
        "bytes_of_item": walked.bytes_of_item,
        "bytes_shared": walked.bytes_shared,
    }
    print(f"\n{panel.name}, H = {horizon}: {len(panel.ids)} items, {panel.demand.shape[1]} periods")
    print("  " + "  ".join(f"{key} {value}" for key, value in found.items()))
    found["cells"] = {cell.name: cell._asdict() for cell in _cells(found, panel, horizon, anchors)}
    for cell in found["cells"].values():
        print("  {name:16} {value:10.3f}  to reach {target:12}  {0}".format("yes" if cell["reached"] else "NO", **cell))
    return found


def _cells(found: Mapping[str, Any], panel: Any, horizon: int, anchors: Mapping[Any, Any]) -> Iterator[Cell]:
    """What is to be reached, beside what was."""
    if horizon == HORIZONS[panel.name]:
        ratios = [found[key] / anchor[key] for anchor in anchors[panel.name, horizon] for key in ("sPL", "NV95")]
        for name, ratio, target in zip(CELLS, ratios, TARGETS[panel.name], strict=True):
            yield Cell(name, round(ratio, 4), f"<= {target}", ratio <= target)
    covered, worst = found["cov95%"], found["cov95_p10"]
    yield Cell("coverage of 95 %", covered, "0.935 to 0.96", 0.935 <= covered <= 0.96)
    if panel.name != "carparts":
        yield Cell("worst tenth", worst, ">= 0.9", worst >= 0.9)
    for name, key, most in (
        ("microseconds", "microseconds", 250),
        ("bytes of item", "bytes_of_item", 8192),
        ("bytes shared", "bytes_shared", 1_000_000),
    ):
        yield Cell(name, found[key], f"<= {most}", found[key] <= most)


def _drawn(chief: str) -> dict[str, Any]:
    """A drawn panel of weeks, lumps, slow movers and promotions, and simple forecasters beside."""
    chance, days, horizon = np.random.default_rng(5), 200, 7
    demand, plans = np.zeros((QUICK_ITEMS, days)), np.zeros((QUICK_ITEMS, days))
    for item in range(QUICK_ITEMS):
        starts = np.sort(chance.integers(20, days - 10, 4)).tolist()
        model = DemandModel(
            mean=float(np.exp(chance.normal(1.0, 1.2))),
            pattern=("poisson", "lumpy", "intermittent")[item % 3],
            week=tuple((1.0 + 0.4 * chance.random(7)).tolist()),
            promotions=tuple(Promotion(start, start + 4, 0.3, 2.0) for start in starts),
        )
        demand[item], plans[item] = model.draw(days, chance), model.planned(days)
    items = [f"SKU-{number}@BER1" for number in range(QUICK_ITEMS)]
    history = DemandHistory(items, [day * DAY_MS for day in range(days + 1)], demand, plans, None, [0] * QUICK_ITEMS)
    figures = {}
    for name in dict.fromkeys((chief, "moving-average", "seasonal-naive", "holt-winters")):
        means, quantiles = np.zeros(demand.shape), np.zeros((*demand.shape, 5))
        begun = time.process_time()
        for item, period, forecast in walk(history, FORECASTERS[name](rhythm_of(history)), horizon):
            means[item, period], quantiles[item, period] = forecast.mean, forecast.quantiles
        spent = (time.process_time() - begun) / demand.size * 1e6
        found = measure(demand, np.zeros(QUICK_ITEMS, np.int64), means, quantiles, horizon, 28)
        figures[name] = {"microseconds": round(spent, 1), **msgspec.to_builtins(found)}
        print(
            f"  {name:16} sPL {found.spl:.4f}  NV95 {found.nv95:.4f}  "
            f"coverage of 95 % {found.coverage_95:.4f}  {spent:.0f} us"
        )
    return {"forecaster": chief, "drawn": figures}


def _walk(panel: Any, horizon: int, forecaster: str) -> Walked:
    """Through HISTORY.csv, as the command does it."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "HISTORY.csv"
        _write_history(panel, path)
        history, _ = read_history(path)
    place = {item: number for number, item in enumerate(panel.ids)}
    order = [place[item] for item in history.items]
    made: Any = Weighed(FORECASTERS[forecaster](rhythm_of(history, panel.season)))
    shape = panel.demand.shape
    means, quantiles = np.zeros(shape), np.zeros((*shape, 5))
    count, begun = 0, time.process_time()
    for item, period, forecast in walk(history, made, horizon):
        means[order[item], period] = forecast.mean
        quantiles[order[item], period] = forecast.quantiles
        count += 1
    spent = time.process_time() - begun - made.weighing
    shared = sum(map(len, made.shared().values()))
    return Walked(means, quantiles, spent / max(count, 1) * 1e6, made.heaviest, shared)


class Weighed:
    """A forecaster whose states are weighed now and then, outside of the time that is measured."""

    def __init__(self, forecaster: Forecaster) -> None:
        self._forecaster = forecaster
        self.name, self.version = forecaster.name, forecaster.version
        self.fresh, self.forecast, self.shared = forecaster.fresh, forecaster.forecast, forecaster.dump_shared
        self._learn, self._calls = forecaster.learn, 0
        self.weighing, self.heaviest = 0.0, 0

    def learn(self, state: Any, item: str, period: Any, ahead: Any) -> None:
        """Learn, and weigh every so often."""
        self._learn(state, item, period, ahead)
        self._calls += 1
        if self._calls % BLOB_EVERY == 0:
            begun = time.process_time()
            self.heaviest = max(self.heaviest, len(self._forecaster.dump(state)))
            self.weighing += time.process_time() - begun


def _write_history(panel: Any, path: Path) -> None:
    """One row per item and period, from the item's first on."""
    dates = [str(date)[:10] for date in panel.dates]
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("item", "date", "demand", "promotion", "price"))
        for number, item in enumerate(panel.ids):
            for period in range(int(panel.first[number]), len(dates)):
                values = (panel.demand[number, period], panel.promotion[number, period], panel.price[number, period])
                writer.writerow((item, dates[period], *map(repr, map(float, values))))


def _cut(panel: Any) -> None:
    chosen = np.sort(np.random.default_rng(1).permutation(len(panel.demand))[:QUICK_ITEMS])
    for name in ("demand", "first", "promotion", "price"):
        setattr(panel, name, getattr(panel, name)[chosen])
    panel.ids = [panel.ids[number] for number in chosen]


def _anchors(path: Path) -> dict[tuple[str, int], tuple[dict[str, float], dict[str, float]]]:
    """The least sPL and NV95 of the per-item batch methods, and of the LightGBMs."""
    found: dict[tuple[str, int], tuple[dict[str, float], dict[str, float]]] = {}
    with path.open(newline="") as file:
        for row in csv.DictReader(file):
            batch, lightgbm = found.setdefault((row["data"], int(row["H"])), ({}, {}))
            kind = batch if row["kind"].startswith("best per-item") else lightgbm if "LightGBM" in row["kind"] else {}
            for key in ("sPL", "NV95"):
                kind[key] = min(kind.get(key, np.inf), float(row[key]))
    return found


def _module(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location("score", path)
    if spec is None or spec.loader is None:
        raise ImportError(f"{path} cannot be imported")
    module = importlib.util.module_from_spec(spec)
    sys.modules["score"] = module
    spec.loader.exec_module(module)
    return module


if __name__ == "__main__":
    sys.exit(main())
