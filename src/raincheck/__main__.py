"""`python -m raincheck` is `raincheck`."""

import sys

from raincheck.cli import main

sys.exit(main())
