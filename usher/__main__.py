"""``python -m usher``: the command line, in case the ``usher`` script isn't on the path."""

import sys

from bot.__main__ import main

sys.exit(main())
