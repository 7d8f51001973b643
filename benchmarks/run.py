"""Run every benchmark but the spoilt files (`make fuzz`), one after the other, each in a process of its own. `make bench`."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent


def main() -> int:
    """Run the benchmarks and say on what machine."""
    print(f"Python {platform.python_version()}, {platform.machine()}, {os.cpu_count()} cores", flush=True)
    failed = 0
    for script in sorted(path for path in HERE.glob("*.py") if path.stem not in ("run", "tiling", "fuzz", "against")):
        print(f"== {script.stem}", flush=True)
        failed += subprocess.run([sys.executable, str(script)], check=False).returncode != 0
    return failed


if __name__ == "__main__":
    raise SystemExit(main())
