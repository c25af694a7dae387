"""All tests of the conformance kit, for ``from usher.conformance.every import *``."""

from usher.conformance.contract import *  # noqa: F403
from usher.conformance.facets import *  # noqa: F403
from usher.conformance.faults import *  # noqa: F403
from usher.conformance.harms import *  # noqa: F403
