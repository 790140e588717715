"""What all labs share.

To read it in an evening, take a run's way: recipe, data, augment, blocks, schedule, train (with graphs and checkpoint),
record, records, runs; then what shows runs: inspect, stats, show, plots. The rest serves `make record` (labs,
plan, recording), the book (book, waiting, results, tables, the other plots) and the benchmark (bench, loops, choices,
costs, steps, whole_runs, processes, airbench).
"""
