"""How is a fitted population model of the cells shown? As a section of the report, and as a page of its own."""
