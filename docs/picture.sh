#!/bin/sh
# Paints docs/daily.svg anew: what the program prints in the described company of the tests.
set -eu
cd "$(dirname "$0")/.."
PICTURE="$PWD/docs/daily.svg" cargo test --quiet --test it picture
