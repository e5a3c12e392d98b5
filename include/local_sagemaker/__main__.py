"""python -m local_sagemaker."""

import sys

from local_sagemaker.cli import main

sys.exit(main())
