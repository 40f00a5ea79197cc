#!/usr/bin/env bash
# LEADERBOARD.md: the standard table, 12 simulated subjects to train on and 6 to test on,
# 2 mm, seed 1, every engine, both directions; and five engines, unpaired.
# Usage: benchmarks/runs/standard.sh [FOLDER OF RESULTS]
# Label maps: $MITAME_DATA, or ../shared/data. Needs `make .venv/.dev`. Two hours on two
# cores that do nothing else; started again, it goes on where it stopped.
set -euo pipefail
cd "$(dirname "$0")/../.."
out=${1:-build/standard}
data=${MITAME_DATA:-../shared/data}
.venv/bin/mitame simulate "$out/cohort" --anatomy "$data/anatomy" --subjects 18 \
  --scanners avanto,prisma --plant occipital,lesions --resolution 2 --seed 1
.venv/bin/mitame benchmark --cohort "$out/cohort" --test 6 --seed 1 -o "$out/results"
.venv/bin/mitame benchmark --cohort "$out/cohort" --test 6 --seed 1 --unpaired \
  --engines identity,histogram,nyul,bilateral,cyclegan -o "$out/unpaired"
.venv/bin/python benchmarks/leaderboard.py \
  "Traveling subjects, simulated=$out/results/table.json" \
  "Unpaired: six people of one scanner, six others of the other=$out/unpaired/table.json" \
  > benchmarks/LEADERBOARD.md
