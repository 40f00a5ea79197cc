#!/usr/bin/env bash
# LEADERBOARD.md: the standard table (12 subjects train, 6 test, 2 mm, seed 1) and the
# real heads with another scanner's look (unpaired).
# Usage: benchmarks/runs/standard.sh [FOLDER OF RESULTS]
# Label maps and heads: $MITAME_DATA, or ../shared/data. Two hours on two cores; started
# again, it goes on where it stopped.
set -euo pipefail
cd "$(dirname "$0")/../.."
out=${1:-build/standard}
data=${MITAME_DATA:-../shared/data}
.venv/bin/mitame simulate "$out/cohort" --anatomy "$data/anatomy" --subjects 18 \
  --scanners avanto,prisma --plant occipital,lesions --resolution 2 --seed 1
.venv/bin/mitame benchmark --cohort "$out/cohort" --test 6 --seed 1 -o "$out/results"
.venv/bin/python benchmarks/real_track.py "$data/ixi-hh-3t" "$out/real" \
  --subjects 40 --seed 1
.venv/bin/mitame benchmark --cohort "$out/real" --test 12 --seed 1 --unpaired \
  -o "$out/real-results"
.venv/bin/python benchmarks/leaderboard.py \
  "Traveling subjects, simulated=$out/results/table.json" \
  "Real heads with another scanner's look=$out/real-results/table.json" \
  > benchmarks/LEADERBOARD.md
