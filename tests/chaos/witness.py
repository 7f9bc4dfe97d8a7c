"""The witness: an application beside the campaign whose only worker is never killed.

All faults of the servers reach it, too. It shows how much memory a worker needs after hours, and is judged in the end.
"""

import statistics
import threading
import time
from pathlib import Path

import psutil

from stream.local import LocalServers
from tests.chaos.checker import Findings
from tests.chaos.run import Run
from tests.chaos.workload import DAY, HOUR

EVENTS = 15
"""Published every second, beside the suppliers' answers."""
ENOUGH, LONG_ENOUGH = 20, 2000
"""So many looks at a worker before its growth is reported, and before it is judged: a young worker is not warm."""
MOST_GROWTH = 1.05
LONGEST_DAYS = 40
"""The most simulated time: a run begins 60 days ago, and no event may lie in the future."""
WARM, YOUTH = 0.25, 0.75
"""After this share of the time a worker counts as warm. So much of the simulated days is over by then, because a young
item takes more memory with all that it learns."""


class Witness:
    """One application with one worker, run by a thread."""

    def __init__(self, servers: LocalServers, name: str, home: Path, seed: int, seconds: float) -> None:
        self.memory: list[float] = []
        self.files: list[int] = []
        self.report = Findings()
        # The duplicate window is full within minutes, and what grows after that is a leak.
        self._run = Run(servers.kafka, servers.redis, name, home, seed, duplicate_window_ids="500")
        self._seconds = max(seconds, 1.0)
        self._began = 0.0
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._live, name=name)

    def start(self) -> None:
        """Start the worker and the thread."""
        self._thread.start()

    def finish(self) -> Findings:
        """Let all work be done, and judge."""
        self._over.set()
        self._thread.join()
        return self.report

    def table(self) -> str:
        """Memory and open files once warm, and in the end."""
        if len(self.memory) < ENOUGH:
            return "the witness saw too little"
        rows = [
            f"witness: {what}: {warm:.0f} once warm, {last:.0f} in the end ({last / warm - 1:+.1%})"
            for what, (warm, last) in self._growth().items()
        ]
        counts = ", ".join(f"{number:,} {name}" for name, number in self.report.counts.items())
        return "\n".join([*rows, f"witness: {counts}"])

    def _growth(self) -> dict[str, tuple[float, float]]:
        warm, tenth = int(WARM * len(self.memory)), max(1, len(self.memory) // 10)
        return {
            what: (statistics.median(seen[warm : warm + tenth]), statistics.median(seen[-tenth:]))
            for what, seen in (("memory in MB", self.memory), ("open files", self.files))
        }

    def _slice_ms(self) -> int:
        """How much simulated time the next second takes."""
        young = time.monotonic() - self._began < WARM * self._seconds
        share, of = (YOUTH, WARM) if young else (1.0 - YOUTH, 1.0 - WARM)
        return min(2 * HOUR, int(share * LONGEST_DAYS * DAY / (of * self._seconds)))

    def _live(self) -> None:
        try:
            with self._run as run:
                self._work(run)
        except Exception as error:  # noqa: BLE001 - reported in the end, with everything else
            self.report.violations.append(f"the witness failed: {error!r}")

    def _work(self, run: Run) -> None:
        run.repeats_letters = True
        run.end_everything()
        worker = run.system.start()
        run.open()
        process = psutil.Process(worker.process.pid)
        self._began = time.monotonic()
        while not self._over.wait(1.0):
            run.publish(1, EVENTS, length_ms=self._slice_ms())
            if not worker.running:
                self.report.violations.append(f"the witness's worker ended:\n{worker.tail()}")
                return
            self.memory.append(process.memory_info().rss / 1e6)
            self.files.append(process.num_fds())
        run.system.settle()
        found = run.finish(300)
        self.report.violations += found.violations
        self.report.counts = found.counts
        if len(self.memory) >= LONG_ENOUGH:
            self.report.violations += [
                f"{what} grew from {warm:.0f} to {last:.0f}"
                for what, (warm, last) in self._growth().items()
                if last > MOST_GROWTH * warm
            ]
