"""`python -m watched ...` is `raincheck ...` that hears Ctrl-C and says where it hangs, in each of its processes.

Lightning starts the other processes of a program by the same words.
"""

import faulthandler
import signal
import sys

HANGS = 400.0  # seconds after which every thread's stack goes to standard error, again and again


def watch() -> None:
    """A suite that was started in the background ignores Ctrl-C, and so would its programs."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    faulthandler.dump_traceback_later(HANGS, repeat=True)


if __name__ == "__main__":
    watch()
    from raincheck.cli import main

    sys.exit(main())
