"""The command `winnow` as a module: python -m winnow_cli."""

import sys

from winnow_cli.app import main

if __name__ == "__main__":
    sys.exit(main())
