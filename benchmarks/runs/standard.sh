#!/usr/bin/env bash
# The standard table of LEADERBOARD.md: 12 subjects train, 6 test, 2 mm, seed 1.
# Usage: benchmarks/runs/standard.sh [FOLDER OF RESULTS]
# Label maps: $MITAME_DATA/anatomy, or ../shared/data/anatomy.
set -euo pipefail
cd "$(dirname "$0")/../.."
out=${1:-build/standard}
anatomy=${MITAME_DATA:-../shared/data}/anatomy
.venv/bin/mitame simulate "$out/cohort" --anatomy "$anatomy" --subjects 18 \
  --scanners avanto,prisma --plant occipital,lesions --resolution 2 --seed 1
.venv/bin/mitame benchmark --cohort "$out/cohort" --test 6 --seed 1 -o "$out/results"
.venv/bin/python benchmarks/leaderboard.py "$out/results/table.json"
