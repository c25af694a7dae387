"""``python -m usher``: the command line, where its script isn't on the path."""

import sys

from bot.__main__ import main

sys.exit(main())
