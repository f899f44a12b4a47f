"""``python -m domain_translation`` is the command ``domain-translation``."""

import sys

from domain_translation.cli import main

sys.exit(main())
