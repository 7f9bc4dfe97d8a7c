"""A worker that is asked dumps its stacks, and goes on."""

import subprocess
import sys

ASKED = """
import asyncio, logging, os, signal, sys
from agents.worker.stack_dump import dump_tasks_on_signal, dump_threads_on_signal

async def wait_for_godot(godot):
    await godot.wait()

dump_threads_on_signal()
os.kill(os.getpid(), signal.SIGUSR1)
print("---", file=sys.stderr)

async def main():
    dump_tasks_on_signal(asyncio.get_running_loop())
    godot, seen = asyncio.Event(), logging.Handler()
    seen.emit = lambda record: (print(record.getMessage(), file=sys.stderr), godot.set())
    logging.getLogger().addHandler(seen)
    waiting = asyncio.create_task(wait_for_godot(godot), name="vladimir")
    os.kill(os.getpid(), signal.SIGUSR1)
    await waiting
    print("came")

asyncio.run(main())
"""


def test_tasks_and_threads_are_dumped_and_the_work_goes_on() -> None:
    done = subprocess.run([sys.executable, "-c", ASKED], check=False, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, "came\n"), done.stderr
    before, _, after = done.stderr.partition("---")
    assert "Current thread" in before
    assert "vladimir" in after
    assert "in wait_for_godot" in after
    assert "Current thread" in after
