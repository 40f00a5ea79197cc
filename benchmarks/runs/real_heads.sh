#!/usr/bin/env bash
# REAL_HEADS.md: 40 real heads with another scanner's look, 28 to train on (unpaired) and
# 12 to test on, seed 1, every engine that needs no pairs, both directions.
# Usage: benchmarks/runs/real_heads.sh [FOLDER OF RESULTS]
# Heads: $MITAME_DATA, or ../shared/data. Needs `make .venv/.dev`. Forty minutes on two
# cores that do nothing else; started again, it goes on where it stopped.
set -euo pipefail
cd "$(dirname "$0")/../.."
out=${1:-build/real-heads}
data=${MITAME_DATA:-../shared/data}
.venv/bin/python benchmarks/real_track.py "$data/ixi-hh-3t" "$out/cohort" \
  --subjects 40 --seed 1
.venv/bin/mitame benchmark --cohort "$out/cohort" --test 12 --seed 1 --unpaired \
  -o "$out/results"
.venv/bin/python benchmarks/leaderboard.py \
  "Real heads with another scanner's look=$out/results/table.json" \
  > benchmarks/REAL_HEADS.md
