"""How is a study shown? Its report, its shells, one subject explained."""
