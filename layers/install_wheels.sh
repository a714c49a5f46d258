#!/bin/sh
# Installs the wheels of a layer's lock for Lambda, on any machine and without Docker. It needs pip3:
# install_wheels.sh "spaCy layer" PROJECT/requirements/spacy-layer.txt arm64 3.13 FOLDER
set -eu
name=$1 lock=$2 architecture=$3 python_version=$4 folder=$5

case $architecture in
    arm64) cpu=aarch64 ;;
    x86_64) cpu=x86_64 ;;
    *) echo "$name: ARCHITECTURE is $architecture; it must be arm64 or x86_64" >&2; exit 1 ;;
esac
command -v pip3 >/dev/null || { echo "$name: pip3 is missing: install pip (Debian: python3-pip)" >&2; exit 1; }

# Wheels for any glibc up to 2.34, which Amazon Linux 2023 has; the newest first.
platforms=
for minor in 34 33 32 31 30 29 28 27 26 25 24 23 22 21 20 19 18 17; do
    platforms="$platforms --platform manylinux_2_${minor}_$cpu"
done

rm -rf "$folder"
# --ignore-requires-python: pip compares with its own Python, not with --python-version; the lock is for the layer's Python.
# shellcheck disable=SC2086 # each platform option must be a separate word
exec pip3 install --quiet --disable-pip-version-check --require-hashes --no-deps --no-compile \
    --only-binary=:all: --ignore-requires-python --implementation cp --python-version "$python_version" \
    $platforms --platform "manylinux2014_$cpu" --target "$folder" --requirement "$lock"
