"""`python -m raincheck.cli` is `raincheck`."""

import sys

from raincheck.cli import main

sys.exit(main())
