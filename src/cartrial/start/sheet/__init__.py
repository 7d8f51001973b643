"""What stands in a sheet that nobody has described? Its cells, its table, its headers, its words and dates."""
