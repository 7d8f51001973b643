#!/usr/bin/env bash
# What a user gets: the wheel, in an empty environment outside the checkout, makes a report of virtual patients.
# Usage: wheel.sh PYTHON WHEEL CONSTRAINTS
set -euo pipefail
python=$(realpath -s "$1") wheel=$(realpath "$2") pins=$(realpath "$3")
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
"$python" -m venv "$place/env"
cd "$place"
export CARTRIAL_CACHE="$place/cache"
unset PYTHONPATH
env/bin/python -m pip install --quiet --disable-pip-version-check -c "$pins" "cartrial[virtual] @ file://$wheel"
env/bin/python -c 'import cartrial, sys; assert cartrial.__file__.startswith(sys.prefix), cartrial.__file__'
env/bin/cartrial --version
env/bin/cartrial report inaticel --virtual --out out
for file in report.html results.json results.parquet run.json adam/ADSL.parquet adam/ADTTE.parquet; do
  test -s "out/$file" || { echo "$file is missing or empty" >&2; exit 1; }
done
test -f "$(env/bin/python -c 'import cartrial, pathlib; print(pathlib.Path(cartrial.__file__).parent)')/py.typed" || { echo "py.typed is not in the wheel" >&2; exit 1; }
env/bin/python - <<'END'
from importlib import metadata
held = {str(file) for file in metadata.files("cartrial")}
missing = [name for name in ("LICENSE", "NOTICE") if not any(file.endswith(f"licenses/{name}") for file in held)]
assert not missing, f"{missing} is not in the wheel"
assert metadata.metadata("cartrial")["Requires-Python"] == ">=3.11"
END
echo "The wheel, installed alone, made a report."
