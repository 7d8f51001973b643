"""What was published, of whom, and how was it measured? Results with the attributes that make them comparable."""
