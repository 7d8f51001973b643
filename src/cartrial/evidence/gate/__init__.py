"""May these numbers be put side by side? Attribute by attribute the same, different, or not established."""
