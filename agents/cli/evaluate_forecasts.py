"""`restock evaluate forecasts`: what the worker would have forecast over a demand history, and how good it was."""

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, Any, NamedTuple

import msgspec
import numpy as np

from agents.cli.rows import beside, file_name, folder, history_in, written
from agents.cli.terminal import print_table, progress, warn
from stream.errors import WrongUse

EXAMPLES = """examples:
  restock evaluate forecasts history.csv --horizon 7 --out F.csv
  restock evaluate forecasts history.csv.gz --horizon 3 --season 12 --plot plots --json"""
COLUMNS = ("item", "date", "horizon", "mean", "q0.5", "q0.8", "q0.9", "q0.95", "q0.99")
CHIEF = "blend"
BESIDE = "last-value,moving-average,seasonal-naive,tsb"
CALIBRATION_SEASONS = 4
_MOST_HORIZON = 400
_PLOTTED, _PLOTTED_PERIODS = 12, 150


class Grids(NamedTuple):
    """Everything a forecaster said: by item and period, quantiles by level besides."""

    means: Any
    quantiles: Any


class JudgedRow(NamedTuple):
    """The figures of a forecaster: of all items, and by class."""

    all: Any
    classes: Mapping[str, Any]


def register(subparsers: Any) -> None:
    """Declare the arguments of `evaluate forecasts`."""
    from agents.forecasting.registry import FORECASTERS

    parser: argparse.ArgumentParser = subparsers.add_parser(
        "forecasts",
        help="what the worker would have forecast, and how good it was",
        description="Walks through a demand history as the worker would have lived it. Periods are the distinct dates "
        "of the file; a forecast is made at the end of each, for the sum of the next ones. Figures are for all items "
        "and by class of value. What they mean is said in docs/concepts/forecasting.md.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("history", type=Path, metavar="HISTORY.csv", help="item,date,demand[,promotion,price]; .gz too")
    parser.add_argument("--horizon", type=int, required=True, help="periods that a forecast speaks of, together")
    parser.add_argument("--season", type=int, help="periods in a season (default: by the distance of the dates)")
    parser.add_argument("--forecaster", default=CHIEF, choices=sorted(FORECASTERS), help="(default: %(default)s)")
    parser.add_argument("--beside", default=BESIDE, help="forecasters to compare with (default: %(default)s; '' none)")
    parser.add_argument("--warm-up", type=int, help="periods that do not count (default: four seasons, 28 at most)")
    parser.add_argument("--out", type=Path, metavar="F.csv", help="a row per item and period; - is standard output")
    parser.add_argument("--plot", type=Path, metavar="DIR", help="draw forecast against actual, an SVG an item")
    parser.add_argument("--plot-items", metavar="ITEM,…", help="items to draw (default: those that sell most)")
    parser.add_argument("--json", action="store_true", help="for programs: one JSON object")


def run(args: argparse.Namespace) -> int:
    """Walk, write, measure, draw."""
    from agents.forecasting.registry import FORECASTERS
    from agents.simulation.walk import rhythm_of

    names = [args.forecaster, *(name for name in args.beside.split(",") if name)]
    _check(args, names)
    history, dates = history_in(args.history)
    pictures = None if args.plot is None else folder(args.plot)
    if unknown := [item for item in _named(args.plot_items) if item not in history.items]:
        raise WrongUse(f"--plot-items: {unknown[0]!r} is no item of {args.history}: write names as in its first column")
    rhythm = rhythm_of(history, args.season)
    usual = min(CALIBRATION_SEASONS * rhythm.season, 28, len(dates) // 2)
    warm_up = usual if args.warm_up is None else args.warm_up
    classes = _classes(history)
    measured = {}
    for name in dict.fromkeys(names):
        chief = name == names[0]
        with written(args.out if chief else None, COLUMNS) as write:
            grids = _walked(history, dates, FORECASTERS[name](rhythm), args.horizon, write, name)
        measured[name] = _judged(history, classes, grids, args.horizon, warm_up)
        if chief and pictures is not None:
            _plot(args, pictures, history, dates, grids)
    if len(dates) <= warm_up + args.horizon:
        warn(
            f"restock evaluate: nothing can be judged: of {len(dates)} periods the first {warm_up} are warm-up and the "
            f"last {args.horizon} have too few after them: bring a longer history, or lower --warm-up or --horizon"
        )
    _print(measured, as_json=args.json, to=beside(args.out))
    return 0


def _check(args: argparse.Namespace, names: Sequence[str]) -> None:
    from agents.forecasting.registry import FORECASTERS

    if unknown := [name for name in names if name not in FORECASTERS]:
        raise WrongUse(f"--beside: no forecaster is called {unknown[0]!r}: there are {', '.join(sorted(FORECASTERS))}")
    for key, value, most in (("--horizon", args.horizon, _MOST_HORIZON), ("--season", args.season, 10_000)):
        if value is not None and not 1 <= value <= most:
            raise WrongUse(f"{key}: {value} is not a number of periods: write 1 to {most}")
    if args.warm_up is not None and args.warm_up < 0:
        raise WrongUse(f"--warm-up: {args.warm_up} is negative: write 0 or more")


def _walked(history: Any, dates: Sequence[str], forecaster: Any, horizon: int, write: Any, name: str) -> Grids:
    from agents.forecasting.base import LEVELS
    from agents.simulation.walk import walk

    means, quantiles = np.zeros(history.demand.shape), np.zeros((*history.demand.shape, len(LEVELS)))
    with progress(name, len(dates) * len(history.items)) as progressed:
        for count, (item, period, forecast) in enumerate(walk(history, forecaster, horizon), start=1):
            means[item, period] = forecast.mean
            quantiles[item, period] = forecast.quantiles
            shown = [f"{value:.6g}" for value in (forecast.mean, *forecast.quantiles)]
            write([history.items[item], dates[period], horizon, *shown])
            if count % 500 == 0:
                progressed(count)
    return Grids(means, quantiles)


def _classes(history: Any) -> Mapping[str, Any]:
    """Which items are of which class."""
    from agents.simulation.totals import SHARES, classes, values_of

    found = np.array(classes(values_of(history)))
    return {kind: np.flatnonzero(found == kind) for kind in SHARES}


def _judged(history: Any, classes: Mapping[str, Any], grids: Grids, horizon: int, warm_up: int) -> JudgedRow:
    from agents.forecasting.error_measures import measure

    first = np.array(history.first)

    def of(chosen: Any) -> Any:
        return measure(
            history.demand[chosen], first[chosen], grids.means[chosen], grids.quantiles[chosen], horizon, warm_up
        )

    return JudgedRow(of(slice(None)), {name: of(chosen) for name, chosen in classes.items() if len(chosen)})


def _print(measured: Mapping[str, JudgedRow], *, as_json: bool, to: IO[str]) -> None:
    if as_json:
        found = {
            name: {**msgspec.to_builtins(judged.all), "classes": msgspec.to_builtins(judged.classes)}
            for name, judged in measured.items()
        }
        print(json.dumps(found), file=to)
        return
    columns = ("items", "forecaster", "MAE", "RMSE", "MSE", "WAPE", "bias", "sPL", "NV80", "NV95", "cov80", "cov95")
    rows = []
    for of in dict.fromkeys(("all", *(kind for judged in measured.values() for kind in judged.classes))):
        for name, judged in measured.items():
            m = judged.all if of == "all" else judged.classes.get(of)
            if m is not None:
                plain = [f"{value:.5g}" for value in (m.mae, m.rmse, m.mse)]
                ratios = (m.wape, m.bias, m.spl, m.nv80, m.nv95, m.coverage_80, m.coverage_95)
                shown = plain + [f"{value:.4f}" for value in ratios]
                rows.append((of, name, *(shown if m.forecasts else ["–"] * len(shown))))
    if to is sys.stdout:
        print_table(columns, rows, right=columns[2:])
        return
    for row in (columns, *rows):
        print("\t".join(row), file=to)


def _named(items: str | None) -> list[str]:
    return [item for item in (items or "").split(",") if item]


def _plot(args: argparse.Namespace, pictures: Path, history: Any, dates: Sequence[str], grids: Grids) -> None:
    """Draw the items that were named, or that sell most: their last periods."""
    from agents.cli.plots import draw
    from agents.forecasting.error_measures import sums_ahead

    horizon = args.horizon
    came = sums_ahead(history.demand, horizon)
    chosen = [list(history.items).index(item) for item in _named(args.plot_items)]
    for item in chosen or np.argsort(-history.demand.sum(axis=1), kind="stable")[:_PLOTTED].tolist():
        start = max(history.first[item], len(dates) - _PLOTTED_PERIODS)
        actual = [None if np.isnan(value) else float(value) for value in came[item, start:]]
        title = f"{history.items[item]}: the next {horizon} periods, foretold (band to 95 %, line: mean), and come"
        draw(
            pictures / f"{item:04d}-{file_name(history.items[item])}.svg",
            title,
            dates[start:],
            actual,
            grids.means[item, start:].tolist(),
            grids.quantiles[item, start:].tolist(),
        )
