"""The order of events in a closed loop: receipts, demand, then an order that can be sold L + 1 periods later."""

from pathlib import Path

import numpy as np
import pytest

from agents.cli import main
from agents.forecasting.base import Rhythm
from agents.forecasting.registry import FORECASTERS
from agents.policies.base import Economics
from agents.policies.registry import POLICIES
from agents.simulation.closed_loop import DemandHistory, LoopRow, live
from agents.simulation.history_file import read_history
from agents.simulation.supplier import Supplier

DAY = 86_400_000


def rows(lead_times: tuple[int, ...], stock_out: str = "lost", *, losses: bool = True) -> list[LoopRow]:
    demand = np.random.default_rng(4).poisson(5.0, (2, 90)).astype(float)
    history = DemandHistory(["A", "B"], [day * DAY for day in range(91)], demand)
    terms = [Economics(1.0, 9.0, 2.0, 0.9, stock_out)] * 2  # type: ignore[arg-type]
    policies = {name: POLICIES[name]() for name in ("pil-q", "base-stock", "one-point-two")}
    forecaster = FORECASTERS["ewma"](Rhythm())
    supplier = Supplier(seed=1, lead_times=lead_times)
    return list(live(history, forecaster, policies, supplier, terms, opening=[20, 20], visible_losses=losses))


@pytest.mark.parametrize("lead_time", [0, 1, 4])
@pytest.mark.parametrize("stock_out", ["lost", "backorder"])
def test_stock_adds_up_and_orders_come_in_time(lead_time: int, stock_out: str) -> None:
    lives: dict[tuple[str, str], list[LoopRow]] = {}
    for row in rows((lead_time,), stock_out):
        lives.setdefault((row.item, row.policy), []).append(row)
    assert len(lives) == 6
    for life in lives.values():
        for t, row in enumerate(life):
            came = life[t - lead_time - 1].ordered if t > lead_time else 0
            before = life[t - 1].on_hand - life[t - 1].sold if t else 20
            assert row.on_hand == before + came
            assert row.sold == (row.demand if stock_out == "backorder" else min(row.demand, row.on_hand))
            assert row.lost == row.demand - row.sold
            assert row.on_order == sum(order.ordered for order in life[max(0, t - lead_time) : t])
            left, fee = row.on_hand - row.sold, 2.0 if t and life[t - 1].ordered else 0.0
            short = row.lost if stock_out == "lost" else max(-left, 0)
            assert row.cost == max(left, 0) + 9.0 * short + fee


def test_demand_is_the_same_for_all_policies_and_in_every_run() -> None:
    found = rows((2, 3, 5))
    assert found == rows((2, 3, 5))
    by_policy = {name: [row.demand for row in found if row.policy == name] for name in ("pil-q", "base-stock")}
    assert by_policy["pil-q"] == by_policy["base-stock"]


def test_without_visible_losses_the_shelf_is_still_filled() -> None:
    found = [row for row in rows((2,), losses=False) if row.policy == "pil-q" and row.period >= 45]
    assert sum(row.sold for row in found) > 0.85 * sum(row.demand for row in found)


def test_evaluate_policies_writes_its_rows(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    history, out = tmp_path / "h.csv", tmp_path / "p.csv"
    lines = [f"A,2024-01-{day:02d},{day % 4}" for day in range(1, 29)] + ["B,2024-01-05,7"]
    history.write_text("item,date,demand\n" + "\n".join(lines) + "\n")
    assert main(["evaluate", "policies", str(history), "--lead-time", "2", "--out", str(out)]) == 0
    written = out.read_text().splitlines()
    assert written[0] == "item,date,policy,on_hand,on_order,ordered,demand,sold,lost,cost"
    assert len(written) == 1 + 2 * 28 * 4
    assert "one-point-two" in capsys.readouterr().out


@pytest.mark.parametrize(
    "arguments, message",
    [
        (["--lead-time", "soon"], "--lead-time"),
        (["--lead-time", "2", "--costs", "holding=-1"], "--costs"),
        (["--lead-time", "2", "--policies", "magic"], "magic"),
    ],
)
def test_wrong_use_is_reported_in_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], message: str
) -> None:
    history = tmp_path / "h.csv"
    history.write_text("item,date,demand\nA,2024-01-01,3\n")
    assert main(["evaluate", "policies", str(history), *arguments]) == 2
    assert message in capsys.readouterr().err


def test_a_history_is_read_with_its_gaps_and_faults(tmp_path: Path) -> None:
    good, bad = tmp_path / "good.csv", tmp_path / "bad.csv"
    good.write_text("item,date,demand,promotion,price\nB,2024-01-02,2,1,3.5\nA,2024-01-05,1,,\n")
    history, dates = read_history(good)
    assert (history.items, dates, history.demand.tolist()) == (
        ["A", "B"],
        ["2024-01-02", "2024-01-05"],
        [[0, 1], [2, 0]],
    )
    assert history.ahead(1, 0).promotion == 1.0
    assert history.ahead(1, 0).price == 3.5
    bad.write_text("item,date,demand\nA,yesterday,3\n")
    with pytest.raises(ValueError, match="line 2"):
        read_history(bad)
