"""Which rows does a study ask for? One module a table of its results."""
