"""Ctrl-C while a pool starts its processes, at the moments that a test of the whole command meets by chance only."""

import sys

import pytest

from program import finish

# Another thread takes the signal, so that it comes amid the start although the main thread blocks it there.
PROGRAM = """
import multiprocessing, signal, threading
from multiprocessing import popen_spawn_posix
from raincheck.data.workers import workers

now, done = threading.Event(), threading.Event()

def take():
    now.wait()
    signal.pthread_kill(threading.get_ident(), signal.SIGINT)
    done.set()

def launch(popen, process, real=popen_spawn_posix.Popen._launch):
    real(popen, process)
    {come}

signal.signal(signal.SIGINT, signal.default_int_handler)
signal.signal(signal.SIGTERM, signal.default_int_handler)
threading.Thread(target=take, daemon=True).start()
popen_spawn_posix.Popen._launch = launch
try:
    with workers(2, "worked", "wait") as pool:
        print(pool.submit(len, "abc").result())
except KeyboardInterrupt:
    print("interrupted", multiprocessing.active_children())
"""


@pytest.mark.parametrize(
    "come",
    [
        "now.set(); done.wait()",
        pytest.param("signal.raise_signal(signal.SIGINT)", marks=pytest.mark.slow),
        pytest.param("signal.raise_signal(signal.SIGTERM)", marks=pytest.mark.slow),
    ],
    ids=["another thread's", "the main thread's", "terminated"],
)
def test_ctrl_c_amid_the_start_of_a_process_waits_for_its_end(come: str) -> None:
    ended = finish([sys.executable, "-c", PROGRAM.format(come=come)])
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "interrupted []\n", "")
