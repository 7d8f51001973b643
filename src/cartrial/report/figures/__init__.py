"""The figures of a report, one a module: each takes rows or records that are ready and draws them."""
