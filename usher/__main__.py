"""``python -m usher``: the command line, if its script isn't on the path."""

import sys

from bot.__main__ import main

sys.exit(main())
